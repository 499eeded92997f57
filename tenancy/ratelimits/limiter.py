"""Counts a client's request against the limits that bind it, and tells how it stands in the answer's headers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import structlog
from django.conf import settings

from observability import metrics
from tenancy.errors import RateLimited
from tenancy.plans import key_rate, tenant_rate
from tenancy.principals import Principal
from tenancy.ratelimits.database_store import DatabaseWindows
from tenancy.ratelimits.redis_store import StoreAway, redis_windows
from tenancy.ratelimits.window import MICROSECONDS, Answer, Ask, Rate, Standing

log = structlog.get_logger(__name__)

# While Redis is away, a process asks it again this often; in between a request costs no time-out.
_AWAY_SECONDS = 1.0
_away_until = 0.0


class Bucket(StrEnum):
    """The windows that a request can be counted in; their names stand in the headers."""

    DEFAULT = "default"
    RUN = "run"
    SESSION = "session"
    MEDIA = "media"
    TENANT = "tenant"


@dataclass(frozen=True)
class Allowance:
    """Whether the request may go on, and the windows it was counted in, the client's own first."""

    granted: bool
    rates: Sequence[tuple[Bucket, Rate]]
    standings: Sequence[Standing]

    @property
    def wait_seconds(self) -> int:
        """Whole seconds until the same request fits, at least one."""
        return max(1, *(ceil(standing.wait_microseconds / MICROSECONDS) for standing in self.standings))

    def headers(self) -> dict[str, str]:
        """Return `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).

        `t`: seconds until the oldest counted request leaves its window and gives its unit back.
        """
        policies = [f'"{bucket}";q={rate.count};w={rate.seconds}' for bucket, rate in self.rates]
        states = [
            f'"{bucket}";r={max(0, rate.count - standing.used)};t={ceil(standing.reset_microseconds / MICROSECONDS)}'
            for (bucket, rate), standing in zip(self.rates, self.standings, strict=True)
        ]
        return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}


def count_request(principal: Principal, *, session: bool, bucket: Bucket = Bucket.DEFAULT) -> Allowance | None:
    """Count a request of the principal; None when the store is away, which closes nothing but the sign-in."""
    rates = limits_on(principal, session=session, bucket=bucket)
    asks = [Ask(_key(name, principal), rate) for name, rate in rates.items()]
    answer = _take(asks)
    if answer is None:
        return None
    metrics.RATE_LIMITED.labels(bucket=bucket, outcome="granted" if answer.granted else "refused").inc()
    return Allowance(answer.granted, tuple(rates.items()), answer.standings)


def require_request(principal: Principal, *, session: bool, bucket: Bucket = Bucket.DEFAULT) -> None:
    """Count a request of the principal; raises RateLimited."""
    allowance = count_request(principal, session=session, bucket=bucket)
    if allowance is not None and not allowance.granted:
        raise RateLimited(retry_after_seconds=allowance.wait_seconds)


def limits_on(principal: Principal, *, session: bool, bucket: Bucket) -> Mapping[Bucket, Rate]:
    """Return the limits that bind this request, the tightest kind first.

    Media has a window of its own for everybody. A browser session is bound by its own alone; a key or token also by
    what all clients of its tenant may send together, so that more keys are not more requests.
    """
    if bucket is Bucket.MEDIA:
        return {Bucket.MEDIA: settings.RATE_LIMIT_SESSION}
    if session:
        return {Bucket.SESSION: settings.RATE_LIMIT_SESSION}
    limits = {Bucket.RUN: settings.RATE_LIMIT_RUN} if bucket is Bucket.RUN else {}
    limits[Bucket.DEFAULT] = key_rate(principal.requests_per_minute, principal.tier)
    if principal.tier is not None:
        limits[Bucket.TENANT] = tenant_rate(principal.tier)
    return limits


def _key(bucket: Bucket, principal: Principal) -> str:
    return f"{bucket}:{principal.tenant_id if bucket is Bucket.TENANT else principal.id}"


def _take(asks: Sequence[Ask]) -> Answer | None:
    global _away_until  # of this process
    if not settings.CACHE_URL:
        return DatabaseWindows().take(asks)
    if time.monotonic() >= _away_until:
        try:
            return redis_windows(settings.CACHE_URL).take(asks)
        except StoreAway as error:
            _away_until = time.monotonic() + _AWAY_SECONDS
            log.warning("rate_limits_away", error=str(error))
    metrics.RATE_LIMITED.labels(bucket=asks[0].key.partition(":")[0], outcome="not_counted").inc()
    return None
