from __future__ import annotations

import io
from typing import Any

import pytest

from observability.errors import InvalidInput, TooLarge, UnsupportedContentType
from tenancy.parsers import StrictJSONParser


def parsed(body: bytes, content_type: str = "application/json") -> dict[str, Any]:
    return StrictJSONParser().parse(io.BytesIO(body), content_type)


def refusal(body: bytes) -> tuple[str, str]:
    """Return (code, pointer) of the one problem the parser names."""
    with pytest.raises(InvalidInput) as caught:
        parsed(body)
    assert caught.value.code == "malformed_body"
    [problem] = caught.value.problems
    assert problem.detail.isascii() and "\x00" not in problem.pointer
    return problem.code, problem.pointer


def test_parse_returns_plain_values() -> None:
    body = '{"name": "Ærø 🚗", "n": -9223372036854775808, "x": [1.5, null, true, {}], "e": "\\ud83d\\ude97"}'
    assert parsed(body.encode()) == {
        "name": "Ærø 🚗",
        "n": -(2**63),
        "x": [1.5, None, True, {}],
        "e": "🚗",
    }


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"a": {"b": "x\\u0000"}}', "null_character", "/a/b"),
        (b'{"a\\u0000": 1}', "null_character", "/"),
        (b'{"a": ["ok", "\\ud800"]}', "lone_surrogate", "/a/1"),
        (b'{"a": {"\\udfff": 1}}', "lone_surrogate", "/a"),
        (b'{"a": {"b": 1, "b": 2}}', "duplicate_key", "/a"),
        (b'{"a": NaN}', "not_finite", "/a"),
        (b'{"a": -Infinity}', "not_finite", "/a"),
        (b'{"a": 1e400}', "out_of_range", "/a"),
        (b'{"a": 9223372036854775808}', "out_of_range", "/a"),
        (b'{"a": ' + b"9" * 5000 + b"}", "out_of_range", "/a"),
        (b'{"a/b~": NaN}', "not_finite", "/a~1b~0"),
        (b"[1]", "expected_object", "/"),
        (b'"text"', "expected_object", "/"),
        (b"null", "expected_object", "/"),
        (b"", "invalid_json", "/"),
        (b'{"a": 1} x', "invalid_json", "/"),
        (b"{'a': 1}", "invalid_json", "/"),
        (b'{"a": "\x01"}', "invalid_json", "/"),
        (b'{"a": "\xff"}', "not_utf8", "/"),
        ('{"a": 1}'.encode("utf-16"), "not_utf8", "/"),
        (b"[" * 100_000, "too_deep", "/"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep", "/"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep", "/a" * 32),
        (b'{"a": [' + b"0," * 10_000 + b"0]}", "too_many_values", "/"),
    ],
)
def test_parse_names_what_is_wrong_and_where(body: bytes, code: str, pointer: str) -> None:
    assert refusal(body) == (code, pointer)


def test_parse_takes_thirty_two_levels() -> None:
    assert parsed(b'{"a":' * 32 + b"1" + b"}" * 32)["a"]


@pytest.mark.parametrize("charset", ["utf-7", "idna", "latin-1", "utf-16", "zlib", "rot13", "nope", "", "utf-8-sig"])
def test_parse_refuses_every_charset_but_utf8(charset: str) -> None:
    with pytest.raises(UnsupportedContentType):
        parsed(b'{"a": 1}', f"application/json; charset={charset}")


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf8"'])
def test_parse_takes_the_names_of_utf8(charset: str) -> None:
    assert parsed(b'{"a": 1}', f"application/json; charset={charset}") == {"a": 1}


def test_parse_refuses_a_body_over_the_cap_without_reading_on(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    stream = io.BytesIO(b'{"a": "' + b"x" * 1000 + b'"}')
    with pytest.raises(TooLarge):
        StrictJSONParser().parse(stream, "application/json")
    assert stream.tell() == 101
