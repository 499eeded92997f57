"""What changed while a reviewer was writing: shown above the kept text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from claims.changes import changes_between
from claims.models import Assessment
from claims.pages.changes import ChangeRow, change_rows
from observability.errors import Conflict
from reviews.models import Decision


@dataclass(frozen=True)
class ConflictNote:
    """`final` where the text can no longer be sent for this claim as it is."""

    title: str
    words: str
    winner: str
    winner_at: datetime | None
    differences: list[ChangeRow]
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


def differences(seen: Assessment, current: Assessment) -> list[ChangeRow]:
    """Return the fields a reviewer judges by that differ between the two assessments."""
    version = ChangeRow("Assessment", f"version {seen.version}", f"version {current.version}")
    return [version, *change_rows(changes_between(seen, current))]
