"""When a delivery is tried again, given up, or its endpoint left alone: pure rules."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from observability.outbound.transport import Answer

# Pauses after the first to the seventh failed attempt; eight attempts take a day.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=14),
)
MOST_ATTEMPTS = len(PAUSES) + 1
# Spreads what failed together, so that it does not come back together.
_JITTER = 0.2
# An endpoint that has failed all the time for so long is disabled.
DISABLE_AFTER = timedelta(days=3)
# A receiver cannot put off deliveries for ever.
_LONGEST_RETRY_AFTER = timedelta(hours=24)
# After an attempt without an answer the endpoint's other deliveries wait, or each would hold a worker for ten seconds.
_REST = timedelta(seconds=30)


@dataclass(frozen=True)
class Verdict:
    """What an answer means. `retry_at` is None when the delivery is over; `rest_until` is for the whole endpoint."""

    delivered: bool
    error_code: str
    gone: bool = False
    retry_at: datetime | None = None
    rest_until: datetime | None = None


def verdict(answer: Answer, *, attempt: int, now: datetime) -> Verdict:
    """Return what follows from the answer to the given attempt (1 is the first)."""
    status = answer.status_code
    if status is not None and 200 <= status < 300:
        return Verdict(delivered=True, error_code="")
    if status == HTTPStatus.GONE:
        return Verdict(delivered=False, error_code="gone", gone=True)
    asked = retry_after(answer.retry_after, now=now)
    rest = asked or (_REST if status is None else None)
    return Verdict(
        delivered=False,
        error_code=answer.error_code or ("redirect_refused" if 300 <= (status or 0) < 400 else "http_status"),
        retry_at=None if attempt >= MOST_ATTEMPTS else now + max(pause_after(attempt), asked or timedelta()),
        rest_until=now + rest if rest else None,
    )


def pause_after(attempt: int) -> timedelta:
    """Return the jittered pause after a failed attempt."""
    return PAUSES[attempt - 1] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # jitter, not a secret


def after_rest(resting_until: datetime) -> datetime:
    """Return when a delivery that met a resting endpoint looks again: not all of them at once."""
    return resting_until + _REST * random.random()  # noqa: S311  # jitter, not a secret


def retry_after(text: str, *, now: datetime) -> timedelta | None:
    """Return the pause that a Retry-After header asks for, at most a day; None when there is none to be read."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        asked = timedelta(seconds=int(text[:9]))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        asked = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(asked, _LONGEST_RETRY_AFTER) if asked > timedelta() else None
