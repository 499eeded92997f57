"""The time that a monitoring answer looks back at."""

from __future__ import annotations

from datetime import datetime, timedelta

from observability.errors import FieldProblem, InvalidInput

DEFAULT_DAYS, MOST_DAYS = 180, 730


def start_of_window(raw_days: str | None, *, now: datetime) -> datetime:
    """Return when the window of the wanted length begins; raises InvalidInput for what is no length."""
    if raw_days is None:
        return now - timedelta(days=DEFAULT_DAYS)
    if raw_days.isascii() and raw_days.isdigit() and len(raw_days) <= 3 and 1 <= int(raw_days) <= MOST_DAYS:
        return now - timedelta(days=int(raw_days))
    raise InvalidInput(problems=[FieldProblem("/days", "out_of_range", f"A whole number from 1 to {MOST_DAYS}.")])
