"""How far requests are from the bounds that call people: read by the watcher that alerts, and shown on the desk."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from observability.request_minutes import RequestSums

# Shorter spans make single slow requests look like a trend.
SPAN_MINUTES = 5
_LEAST_REQUESTS = 20
_LEAST_TIMED = 50


@dataclass(frozen=True)
class RequestStanding:
    """Multiples of each bound: 1 reaches it. None where too few requests came in to tell."""

    errors: float | None
    latency: float | None


def standing_of(sums: RequestSums) -> RequestStanding:
    """Hold the sums of a span against the bounds; a bound of zero is not looked at."""
    limit, p95 = settings.ALERT_ERROR_SHARE, sums.p95_seconds
    return RequestStanding(
        errors=error_share(sums) / limit if limit and sums.requests >= _LEAST_REQUESTS else None,
        latency=p95 / settings.ALERT_LATENCY_SECONDS if p95 is not None and sums.timed >= _LEAST_TIMED else None,
    )


def error_share(sums: RequestSums) -> float:
    """Return the share of requests that were answered with 5xx."""
    return sums.server_errors / sums.requests if sums.requests else 0.0
