"""What an HTTP refusal of a provider means for the chain; the same for every protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from aiassist.gateway.types import ErrorKind, ProviderError

# RELIABILITY.md: retry only transport errors, 408, 409, 429 and 5xx.
_RETRY_STATUSES = frozenset({408, 409, 429})
_CODES = {
    400: "request_refused",
    401: "credentials_refused",
    402: "quota_spent",
    403: "credentials_refused",
    404: "model_not_found",
    413: "request_too_large",
    429: "rate_limited",
}


# OpenAI answers 429 to a spent quota too, and no waiting heals that.
_SPENT = "insufficient_quota"


def refusal_error(status: int, headers: Mapping[str, str], *, word: str = "") -> ProviderError:
    """Classify an HTTP status and the protocol's `word` for it; Retry-After counts wherever waiting may help."""
    if status == 429 and word == _SPENT:
        return ProviderError("quota_spent", kind=ErrorKind.NEXT)
    code = "redirect_refused" if 300 <= status < 400 else _CODES.get(status, f"http_{status}")
    if status in _RETRY_STATUSES or status >= 500:
        wait = retry_after_seconds(headers)
        return ProviderError(code, kind=ErrorKind.RETRY, retry_after_seconds=wait, outage=status >= 500)
    return ProviderError(code, kind=ErrorKind.NEXT)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After as seconds, given as seconds or as an HTTP date; None where it says nothing usable."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _seconds_until(http_date: str) -> float:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return math.nan
    return (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
