from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from observability.masking import mask_text, mask_value, name_is_telling, one_line

PERSONAL = {
    "ada.lovelace+claims@mail.example.org": "[email]",
    "jürgen@müller.de": "[email]",
    "ada%40example.org": "[email]",
    "a" * 90 + "@example.org": "[email]",
    "460-89-9847": "[ssn]",
    "460 89 9847": "[ssn]",
    "4111 1111 1111 1111": "[card]",
    "4111-1111-1111-1111": "[card]",
    "378282246310005": "[card]",
    "6011000990139424": "[card]",
    "106.31.73.20": "[ip]",
    "2001:db8::8a2e:370:7334": "[ip]",
    "6e40:4041:c617:e898:c11:40d2:c669:2eb4": "[ip]",
    "+46 (0)8 928 571 38": "[phone]",
    "001-518-640-0854": "[phone]",
    "(579)888-3058": "[phone]",
    "905-674-3793": "[phone]",
    "07700 063 966": "[phone]",
    "03.93.92.16.85": "[phone]",
    "345-899-3560x4587": "[phone]",
    "GB82 WEST 1234 5698 7654 32": "[iban]",
    "DE89370400440532013000": "[iban]",
    "clm_live_" + "a1B2" * 10: "[api-key]",
    "sk-proj-abcdefghijklmnop1234": "[api-key]",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_def": "[token]",
}
HARMLESS = (
    "CLM-2026-001234",
    "CLM/2026/000417",
    "POL-4411-0099-1234",
    "A-12-345-6789",
    "claim 4820012345 of 2026",
    "1HGCM82633A004352",
    str(uuid.UUID("01929d2e-1111-7234-8456-123456789012")),
    str(uuid.UUID(int=0x12345678123456781234567812345678)),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "1234567890123456789012345678901234567890123456789012345678901234",
    "2026-11-21T04:00:00.123456Z",
    "2026-11-21 04:00:00+00:00",
    "04:00:00",
    "1763697600",
    "1763697600123",
    "1763697600123456789",
    "0.4454794511390933",
    "-12.5",
    "1234567.89",
    "3.14159265358979",
    "1920x1080 at 29.97 fps",
    "5.2.19",
    "bytes 0-1023/146515",
    "127 of 500 jobs",
    'File "/srv/app/observability/jobs.py", line 123, in take_job',
)


@pytest.mark.parametrize(("text", "placeholder"), PERSONAL.items())
def test_mask_text_replaces_what_belongs_to_a_person(text: str, placeholder: str) -> None:
    assert mask_text(text) == placeholder
    assert mask_text(f"Please call or write: {text}, thanks.") == f"Please call or write: {placeholder}, thanks."
    assert text not in mask_text(f'{{"note": "{text}"}}')


@pytest.mark.parametrize("text", HARMLESS)
def test_mask_text_keeps_what_operations_need(text: str) -> None:
    assert mask_text(text) == text
    assert mask_text(f"job {text} ended") == f"job {text} ended"
    assert mask_text(f'{{"value": "{text}"}}') == f'{{"value": "{text}"}}'


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter22 for ada",
        "Authorization: Bearer abcdefgh12345678",
        "{'api_key': 'abcd1234efgh'}",
        '{"refresh_token":"abcd1234efgh"}',
        "postgres://claims:hunter22@db.internal:5432/claims",
        "redis://:hunter22@cache:6379/0",
        "Cookie: sessionid=abcd1234efgh",
        "GET /x?token=abcd1234efgh&page=2",
    ],
)
def test_mask_text_replaces_secrets_by_the_name_before_them(text: str) -> None:
    masked = mask_text(text)
    for secret in ("hunter22", "abcdefgh12345678", "abcd1234efgh"):
        assert secret not in masked


def test_mask_text_leaves_a_number_alone_that_fails_the_check_digit() -> None:
    assert mask_text("order 4111111111111112") == "order 4111111111111112"
    assert mask_text("GB82WEST12345698765433") == "GB82WEST12345698765433"


def test_mask_text_masks_again_to_the_same() -> None:
    once = mask_text(" ".join(PERSONAL))
    assert not any(text in once for text in PERSONAL)
    assert mask_text(once) == once


@given(st.text(max_size=300))
def test_mask_text_bears_any_text(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


_NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@example(uuid.UUID("dd93b94d-e355-ecdc-fa56-fc744cb77651"), _NOON, bytes(32))  # its end passes an IBAN's checksum
@given(st.uuids(), st.datetimes(timezones=st.just(UTC)), st.binary(min_size=32, max_size=32))
def test_mask_text_keeps_identifiers_times_and_digests(key: uuid.UUID, at: datetime, digest: bytes) -> None:
    if 1900 <= at.year < 2100:
        assert mask_text(at.isoformat()) == at.isoformat()
    assert mask_text(f"job {key} of {digest.hex()}") == f"job {key} of {digest.hex()}"


def test_mask_text_keeps_a_digest_that_passes_an_iban_s_checksum() -> None:
    digest = "ab980123456789abcdef0123456789ab"
    assert mask_text(f"of {digest}") == f"of {digest}"
    assert mask_text("NO9386011117947 and MT84MALT011000012345MTLCAST001S") == "[iban] and [iban]"


@given(st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=2), st.floats(0, 1, exclude_max=True))
def test_mask_text_keeps_amounts_and_shares(amount: Decimal, share: float) -> None:
    assert mask_text(f"{amount} EUR") == f"{amount} EUR"
    assert mask_text(f"share {share:.16f}") == f"share {share:.16f}"


@given(st.lists(st.sampled_from([*"1+(-. :@=/", "001", "a@", "://", "eyJ", "password=", "::"]), max_size=60))
def test_mask_text_ends_on_hostile_input(parts: list[str]) -> None:
    """A pattern that backtracks without end would hang here: each text is repeated to the full length."""
    text = "".join(parts) or "1"
    assert isinstance(mask_text((text * 8192)[:8192]), str)


def test_mask_text_cuts_long_text_and_never_through_an_address() -> None:
    text = "x " * 3065 + "ada.lovelace@example.org " + "y " * 3000 + "sam@example.org at the end"
    masked = mask_text(text)
    assert len(masked) < 8300
    assert "…[cut]…" in masked
    assert "lovelace" not in masked
    assert masked.endswith("[email] at the end"), "a traceback ends with what matters"


def test_mask_value_goes_through_nested_data_and_keeps_its_shape() -> None:
    value = {
        "count": 3,
        "ratio": 0.5,
        "nothing": None,
        "amount": Decimal("12.34"),
        "after": timedelta(seconds=3),
        "people": [{"note": "ada@example.org", "email": "x"}, ("call 905-674-3793",)],
        "ada@example.org": 1,
        "raw": b"\x00secret",
        "prompt_tokens": 120,
        "template": "dossier",
    }
    masked = mask_value(value)
    assert masked == {
        "count": 3,
        "ratio": 0.5,
        "nothing": None,
        "amount": Decimal("12.34"),
        "after": timedelta(seconds=3),
        "people": [{"note": "[email]", "email": "[masked]"}, ["call [phone]"]],
        "[email]": 1,
        "raw": "[bytes]",
        "prompt_tokens": 120,
        "template": "dossier",
    }


def test_mask_value_masks_the_text_of_objects_and_of_long_whole_numbers() -> None:
    class Witness:
        def __str__(self) -> str:
            return "Ada <ada@example.org>"

    assert mask_value({"by": Witness()}) == {"by": "Ada <[email]>"}
    assert mask_value(4111111111111111) == "[card]"
    assert mask_value(1763697600123456789) == 1763697600123456789


def test_mask_value_bears_depth_and_width() -> None:
    deep: object = "ada@example.org"
    for _ in range(100):
        deep = [deep]
    assert "ada" not in json.dumps(mask_value(deep))
    wide = mask_value(list(range(10_000)))
    assert isinstance(wide, list)
    assert len(wide) == 200


@pytest.mark.parametrize(
    "name", ["password", "X-API-Key", "apiKey", "Set-Cookie", "email", "claimant_email", "HTTP_AUTHORIZATION", "phone"]
)
def test_name_is_telling_of_secrets_and_people(name: str) -> None:
    assert name_is_telling(name)


@pytest.mark.parametrize(
    "name", ["template", "prompt_tokens", "discard", "sessions_open", "kind", "tokenizer", "shipped"]
)
def test_name_is_telling_is_not_fooled_by_parts_of_words(name: str) -> None:
    assert not name_is_telling(name)


def test_one_line_shows_what_would_forge_a_line_or_drive_a_terminal() -> None:
    assert one_line("a\nlevel=error\r\x1b[2J\u2028b") == "a\\nlevel=error\\x0d\\x1b[2J\\x2028b"
