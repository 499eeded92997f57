"""What changed while a reviewer was writing: shown above the kept text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from claims.choices import ReviewPriority
from claims.models import Assessment
from claims.pages.badges import PRIORITY_BADGES, SEVERITY_BADGES
from claims.words import code_words, percent_words
from observability.errors import Conflict
from reviews.models import Decision


@dataclass(frozen=True)
class Difference:
    field: str
    seen: str
    now: str


@dataclass(frozen=True)
class ConflictNote:
    """`final` where the text can no longer be sent for this claim as it is."""

    title: str
    words: str
    winner: str
    winner_at: datetime | None
    differences: list[Difference]
    final: bool


def conflict_note(
    error: Conflict, *, seen: Assessment | None, current: Assessment, decisions: Sequence[Decision]
) -> ConflictNote:
    """Return what the reviewer must know; the newest decision is named where one won."""
    newest = decisions[0] if decisions and error.code == "already_decided" else None
    return ConflictNote(
        title=_TITLES.get(error.code, "The claim changed while you were writing"),
        words=error.message,
        winner=f"{newest.decided_by}: {newest.get_decision_display().lower()}" if newest else "",
        winner_at=newest.decided_at if newest else None,
        differences=differences(seen, current) if seen is not None and seen.id != current.id else [],
        final=error.code in ("already_decided", "not_reviewable"),
    )


_TITLES = {
    "already_decided": "Someone else decided this claim first",
    "stale_assessment": "A newer assessment arrived while you were writing",
    "lease_held": "Another reviewer holds this claim",
    "lease_lost": "Your hold on this claim has lapsed",
    "not_reviewable": "This claim no longer waits for a review",
}


def differences(seen: Assessment, current: Assessment) -> list[Difference]:
    """Return the fields a reviewer judges by that differ between the two assessments."""
    pairs = zip(_facts(seen), _facts(current), strict=True)
    return [Difference(field, before, after) for (field, before), (_, after) in pairs if before != after]


def _facts(assessment: Assessment) -> list[tuple[str, str]]:
    low, high = round(assessment.fault_low_pct), round(assessment.fault_high_pct)
    names = [badge.word for name, badge in SEVERITY_BADGES.items() if name in assessment.prediction_set]
    priority = PRIORITY_BADGES[ReviewPriority(assessment.review_priority)].word
    return [
        ("Assessment", f"version {assessment.version}"),
        ("Outcome", code_words(assessment.outcome)),
        ("Severity", code_words(assessment.severity) or "–"),
        ("Possible severities", ", ".join(names) or "–"),
        ("Fault", f"{percent_words(assessment.suggested_fault_pct)} % ({low}–{high} %)"),
        ("Scenario", code_words(assessment.scenario)),
        ("Fraud risk", f"{percent_words(round(assessment.fraud_risk_score * 100))} %"),
        ("Priority", priority),
    ]
