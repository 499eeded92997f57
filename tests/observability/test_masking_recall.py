"""How much of the structured personal data in a public evaluation set the masker finds."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from observability.masking import mask_text

# Measured 2026-11: e-mail 49/49, SSN 16/16, IP 14/14, IBAN 21/21, card 135/136 (one number in the set breaks the
# scheme's own ranges), phone 85/92 (bare ten-digit and eight-digit numbers are left: they look like claim numbers).
LEAST = {
    "EMAIL_ADDRESS": 1.0,
    "US_SSN": 1.0,
    "IP_ADDRESS": 1.0,
    "IBAN_CODE": 1.0,
    "CREDIT_CARD": 0.99,
    "PHONE_NUMBER": 0.92,
}
_PLACEHOLDER = re.compile(r"\[(?:email|phone|ssn|card|ip|iban)\]")


@pytest.fixture
def records(shared_data: Path) -> list[dict]:
    file = shared_data / "pii" / "synth_dataset_v2.json"
    if not file.is_file():
        pytest.skip("the personal-data set is not beside this checkout")
    return list(json.loads(file.read_text(encoding="utf-8")))


def test_mask_text_finds_structured_personal_data(records: list[dict]) -> None:
    there: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for record in records:
        masked = mask_text(record["full_text"])
        for span in record["spans"]:
            kind = span["entity_type"]
            there[kind] += 1
            found[kind] += span["entity_value"] not in masked
    shares = {kind: found[kind] / there[kind] for kind in LEAST}
    assert {kind: share for kind, share in shares.items() if share < LEAST[kind]} == {}


def test_mask_text_takes_little_else_for_personal_data(records: list[dict]) -> None:
    plain = [record for record in records if not LEAST.keys() & {span["entity_type"] for span in record["spans"]}]
    wrong = [record["full_text"] for record in plain if _PLACEHOLDER.search(mask_text(record["full_text"]))]
    assert len(wrong) / len(plain) < 0.01, wrong
