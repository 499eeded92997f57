"""The desk's panel of how requests go, against the bounds at which people are alerted."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from observability.desk import Panel, PanelRow, PanelState, Tone, register_panel
from observability.request_minutes import RequestSums, request_sums
from observability.request_standing import SPAN_MINUTES, RequestStanding, error_share, standing_of

_HOUR_MINUTES = 60
# Of a bound: whoever looks now can act before anybody is paged.
_NEAR = 0.5


def register_requests_panel() -> None:
    register_panel(Panel("requests", "Requests", 7, requests_panel))


def requests_panel(now: datetime) -> PanelState:
    """BAD where the last minutes alert; WATCH near to that, and while the last hour is beyond a bound."""
    recent, hour = (request_sums(minutes=minutes, now=now) for minutes in (SPAN_MINUTES, _HOUR_MINUTES))
    standing, before = standing_of(recent), standing_of(hour)
    rows = [
        PanelRow(f"Requests in {SPAN_MINUTES} min", f"{recent.requests:,}"),
        PanelRow(f"5xx in {SPAN_MINUTES} min{_errors_bound()}", _share(recent), _tone(standing.errors)),
        PanelRow(
            f"p95 in {SPAN_MINUTES} min (alert at {settings.ALERT_LATENCY_SECONDS:g} s)",
            _seconds(recent),
            _tone(standing.latency),
        ),
        PanelRow("Requests in 1 h", f"{hour.requests:,}"),
        PanelRow("5xx in 1 h", _share(hour), _past_tone(before.errors)),
        PanelRow("p95 in 1 h", _seconds(hour), _past_tone(before.latency)),
    ]
    tones = {row.tone for row in rows}
    tone = Tone.BAD if Tone.BAD in tones else Tone.WATCH if Tone.WATCH in tones else Tone.GOOD
    return PanelState(tone, _headline(recent, standing, tone), rows)


def _headline(recent: RequestSums, standing: RequestStanding, tone: Tone) -> str:
    errors, latency = standing.errors or 0.0, standing.latency or 0.0
    if max(errors, latency) >= _NEAR:
        return f"{_share(recent)} failed" if errors >= latency else f"19 of 20 within {_seconds(recent)}"
    if tone != Tone.GOOD:
        return "Well again, the last hour was not"
    if standing.errors is None and standing.latency is None:
        return "Too few to judge" if recent.requests else f"None in {SPAN_MINUTES} min"
    return "Within bounds"


def _tone(times: float | None) -> Tone:
    if times is None or times < _NEAR:
        return Tone.GOOD
    return Tone.BAD if times >= 1 else Tone.WATCH


def _past_tone(times: float | None) -> Tone:
    return Tone.WATCH if times is not None and times >= 1 else Tone.GOOD


def _errors_bound() -> str:
    """Zero switches that alert off."""
    share = settings.ALERT_ERROR_SHARE
    return f" (alert at {100 * share:.3g} %)" if share else ""


def _share(sums: RequestSums) -> str:
    return f"{100 * error_share(sums):.1f} %" if sums.requests else "none"


def _seconds(sums: RequestSums) -> str:
    return "none timed" if sums.p95_seconds is None else f"{sums.p95_seconds:.2f} s"
