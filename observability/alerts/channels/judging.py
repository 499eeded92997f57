"""What the status of an answer means, as far as all channels agree."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from observability.alerts.channels.types import Said
from observability.outbound.transport import Answer

# A page that waits an hour wakes nobody: a service cannot put it off for longer than this.
_LONGEST_WAIT_SECONDS = 600.0
# Nothing will answer otherwise before the configuration changes.
_HOPELESS = frozenset({"address_not_allowed", "webhook_url_refused"})


def judged(answer: Answer, *, accepted: HTTPStatus, now: datetime) -> Said:
    """Return what follows: only `accepted` is a success, 408, 425, 429 and 5xx are tried again, other answers are
    final."""
    status = answer.status_code
    if status is None:
        return Said(told=False, error_code=answer.error_code, final=answer.error_code in _HOPELESS, outage=True)
    if status == accepted:
        return Said(told=True)
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}:
        return Said(told=False, error_code=f"http_{status}", wait_seconds=wait_seconds(answer.retry_after, now=now))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        asked = wait_seconds(answer.retry_after, now=now)
        return Said(told=False, error_code=f"http_{status}", wait_seconds=asked, outage=True)
    return Said(told=False, error_code=f"http_{status}", final=True)


def wait_seconds(text: str, *, now: datetime) -> float:
    """Return the pause that a Retry-After header asks for, at most ten minutes; 0 when there is none to be read."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), _LONGEST_WAIT_SECONDS)
