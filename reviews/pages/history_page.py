"""The history of a claim as a page shows it, each entry with the state of its verification."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from claims.words import ago_words, code_words, size_words
from reviews.selectors import HistoryItem
from tenancy.trail.proofs import EventState

_ICONS = {"AI": "ai", "HUMAN": "user", "SYSTEM": "system"}
_WORDS = {
    "claim.received": "Claim received",
    "claim.resubmitted": "Same video handed in again",
    "claim.processing_started": "Assessment started",
    "claim.assessed": "Assessed",
    "claim.reassessment_requested": "Another assessment asked for",
    "claim.reassessed": "Assessed again",
    "claim.reassessment_failed": "Assessing again failed",
    "claim.priority_raised": "Moved up: waited too long",
    "claim.restricted": "Restricted",
    "claim.restriction_lifted": "Open to all staff again",
    "claim.access_granted": "Opened to one person",
    "claim.access_revoked": "Access taken back",
    "claim.video_viewed": "Video opened",
    "claim.legal_hold_set": "Legal hold set",
    "claim.legal_hold_lifted": "Legal hold lifted",
    "claim.media_removed": "Video and pictures removed",
    "claim.erased": "Personal data erased",
    "claim.personal_data_exported": "Personal data exported",
    "review.lease_taken": "Taken for review",
    "review.lease_released": "Given back to the queue",
    "review.decided": "Decided",
    "review.stale_decision_refused": "Decision on an older assessment refused",
    "review.reopened": "Reopened",
}
_STATES = {
    EventState.VERIFIED: ("verified", "check", "ok"),
    EventState.AWAITING_SEAL: ("awaits its seal", "clock", "warn"),
    EventState.PROBLEM: ("not what was sealed", "urgent", "danger"),
}
_HASH_LETTERS = 10
_FIELD_WORDS = {"sha256": "SHA-256", "size_bytes": "Size", "lease_expires_at": "Held until", "fault_ratio": "Fault"}
_ENUM = re.compile(r"[A-Z]+(_[A-Z]+)*")
_LONG_ID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


@dataclass(frozen=True)
class Change:
    field: str
    before: str
    after: str


@dataclass(frozen=True)
class HistoryRow:
    seq: int | None
    words: str
    icon: str
    actor: str
    actor_kind: str
    at: datetime
    ago: str
    changes: list[Change]
    reason: str
    hash: str
    short_hash: str
    previous_hash: str
    state: EventState
    state_words: str
    state_icon: str
    tone: str
    seal: int | None


@dataclass(frozen=True)
class HistoryVerdict:
    """The history's state in one line."""

    words: str
    icon: str
    tone: str


def history_rows(items: Sequence[HistoryItem], *, now: datetime) -> list[HistoryRow]:
    """Return the entries, newest first."""
    return [_row(item, now) for item in reversed(items)]


def history_verdict(items: Sequence[HistoryItem]) -> HistoryVerdict:
    """Return what verification says of the entries together: the worst of them counts."""
    states = {item.sealed.state for item in items}
    if EventState.PROBLEM in states:
        return HistoryVerdict("An entry is not what was sealed", "urgent", "broken")
    waiting = sum(item.sealed.state == EventState.AWAITING_SEAL for item in items)
    if waiting:
        return HistoryVerdict(f"{waiting} of {len(items)} entries await their seal", "clock", "waiting")
    return HistoryVerdict("Every entry verified under its seal", "shield", "ok")


def _row(item: HistoryItem, now: datetime) -> HistoryRow:
    words, icon, tone = _STATES[item.sealed.state]
    return HistoryRow(
        seq=item.seq,
        words=_WORDS.get(item.event, code_words(item.event)),
        icon=_ICONS.get(item.actor_type, "system"),
        actor=item.actor_name,
        actor_kind={"AI": "AI", "HUMAN": "Person"}.get(item.actor_type, "System"),
        at=item.at,
        ago=ago_words(item.at, now),
        changes=_changes(item.before, item.after),
        reason=item.reason,
        hash=item.hash or "",
        short_hash=(item.hash or "")[:_HASH_LETTERS],
        previous_hash=item.previous_hash or "",
        state=item.sealed.state,
        state_words=words,
        state_icon=icon,
        tone=tone,
        seal=item.sealed.seal,
    )


def _changes(before: Mapping[str, object], after: Mapping[str, object]) -> list[Change]:
    names = [*before, *(name for name in after if name not in before)]
    pairs = [(name, before.get(name), after.get(name)) for name in names]
    return [
        Change(_FIELD_WORDS.get(name) or code_words(name), _shown(name, old), _shown(name, new))
        for name, old, new in pairs
        if old != new
    ]


def _shown(name: str, value: object) -> str:
    if name == "size_bytes" and isinstance(value, int):
        return size_words(value)
    if name == "changed" and isinstance(value, list):
        return ", ".join(code_words(field).lower() for field in value) or "nothing"
    return _value(value)


def _value(value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{code_words(str(name)).lower()}: {_value(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_value(inner) for inner in value)
    text = str(value)
    if _ENUM.fullmatch(text):
        return code_words(text)
    if _LONG_ID.fullmatch(text):
        return f"{text[:_HASH_LETTERS]}…"
    return f"{text[:10]} {text[11:16]} UTC" if _TIME.match(text) else text
