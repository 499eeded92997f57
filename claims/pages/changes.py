"""What a newer opinion says differently, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from claims.pages.badges import PRIORITY_BADGES, SEVERITY_BADGES
from claims.records import ChangeRecord
from claims.words import clock_words, code_words, percent_words

_NOTHING = "–"


@dataclass(frozen=True)
class ChangeRow:
    field: str
    before: str
    after: str


def change_rows(changes: Iterable[ChangeRecord]) -> list[ChangeRow]:
    """Return the changes as a page or a terminal shows them, in their order."""
    return [_row(change) for change in changes]


def _row(change: ChangeRecord) -> ChangeRow:
    label, words = _SHOWN.get(change["field"], (code_words(change["field"]), _code))
    return ChangeRow(label, _said(change["before"], words), _said(change["after"], words))


def _said(value: Any, words: Callable[[Any], str]) -> str:
    return _NOTHING if value in (None, "", []) else words(value)


def _code(value: Any) -> str:
    return code_words(str(value))


def _codes(values: list[str]) -> str:
    return ", ".join(code_words(value) for value in values)


def _severities(values: list[str]) -> str:
    return ", ".join(badge.word for name, badge in SEVERITY_BADGES.items() if name in values) or "None of the four fits"


def _share(value: float) -> str:
    return f"{percent_words(value * 100)} %"


def _hazards(values: list[dict[str, Any]]) -> str:
    return ", ".join(f"{code_words(h['kind'])} {clock_words(h['start_seconds'])}" for h in values)


_SHOWN: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "reason_code": ("Reason", _code),
    "severity": ("Severity", lambda value: SEVERITY_BADGES[value].word),
    "confidence": ("Sure", _share),
    "prediction_set": ("Possible severities", _severities),
    "fault_ratio": ("Fault", lambda value: f"{percent_words(value)} %"),
    "fault_interval": ("Fault between", lambda ends: f"{percent_words(ends[0])} and {percent_words(ends[1])} %"),
    "fraud_risk_score": ("Fraud risk", _share),
    "fraud_indicators": ("Signs of fraud", _codes),
    "review_priority": ("Priority", lambda value: PRIORITY_BADGES[value].word),
    "hazards": ("Hazards", _hazards),
    "degraded_reasons": ("Judged without", _codes),
    "model_version": ("Severity model", str),
    "provider": ("Provider", str),
    "prompt_version": ("Prompt", str),
}
