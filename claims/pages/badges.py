"""Badges: an icon and a word, with a tone; the colour never speaks alone."""

from __future__ import annotations

from dataclasses import dataclass

from aiassist.types import Severity
from claims.choices import ClaimStatus, ReviewPriority


@dataclass(frozen=True)
class Badge:
    word: str
    tone: str
    icon: str


@dataclass(frozen=True)
class SetChip:
    """One of the four severities: whether the prediction set contains it, and whether it is the label."""

    word: str
    letter: str
    tone: str
    inside: bool
    label: bool


PRIORITY_BADGES: dict[str, Badge] = {
    ReviewPriority.URGENT: Badge("Urgent", "danger", "urgent"),
    ReviewPriority.STANDARD: Badge("Standard", "info", "standard"),
    ReviewPriority.LOW_PRIORITY: Badge("Low priority", "quiet", "low"),
}
STATUS_BADGES: dict[str, Badge] = {
    ClaimStatus.RECEIVED: Badge("Received", "quiet", "clock"),
    ClaimStatus.PROCESSING: Badge("Being assessed", "info", "ai"),
    ClaimStatus.AWAITING_REVIEW: Badge("Awaiting review", "warn", "eye"),
    ClaimStatus.APPROVED: Badge("Approved", "ok", "check-circle"),
    ClaimStatus.REJECTED: Badge("Rejected", "danger", "cross-circle"),
    ClaimStatus.INFO_REQUESTED: Badge("Information requested", "info", "question"),
    ClaimStatus.FAILED: Badge("Failed", "danger", "urgent"),
}
SEVERITY_BADGES: dict[str, Badge] = {
    Severity.NONE: Badge("None", "quiet", "bar0"),
    Severity.LOW: Badge("Low", "ok", "bar1"),
    Severity.MEDIUM: Badge("Medium", "warn", "bar2"),
    Severity.HIGH: Badge("High", "danger", "bar3"),
}
NOT_ASSESSABLE_BADGE = Badge("Not assessable", "quiet", "question")
_RAISED_SHARE = 0.5  # from half of the tenant's urgent threshold on, a risk is worth a second look


def severity_badge(severity: str) -> Badge:
    """Return the badge of a severity; empty means that no severity could be judged."""
    return SEVERITY_BADGES.get(severity, NOT_ASSESSABLE_BADGE)


def fraud_badge(score: float, urgent_threshold: float) -> Badge:
    """Return the fraud risk in a word, read against the tenant's threshold for urgent."""
    if score >= urgent_threshold:
        return Badge("High", "danger", "urgent")
    if score >= urgent_threshold * _RAISED_SHARE:
        return Badge("Raised", "warn", "eye")
    return Badge("Low", "ok", "shield")


def set_words(prediction_set: list[str]) -> str:
    """Return the possible severities in a phrase."""
    words = [badge.word.lower() for name, badge in SEVERITY_BADGES.items() if name in prediction_set]
    if not words:
        return "none of the four classes fits"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def set_chips(prediction_set: list[str], label: str) -> list[SetChip]:
    """Return the four severities in order of harm, marked by the prediction set."""
    return [
        SetChip(badge.word, badge.word[0], badge.tone, name in prediction_set, name == label)
        for name, badge in SEVERITY_BADGES.items()
    ]
