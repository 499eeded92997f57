"""Reads of alerts and their figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, QuerySet, Sum

from observability.alerts.choices import (
    OPEN_STATES,
    AlertEvent,
    AlertSeverity,
    AlertState,
    ChannelName,
    EntryKind,
)
from observability.alerts.models import Alert, AlertAllowance, AlertEntry, AlertTelling
from observability.errors import NotFound

STATS_SPAN = timedelta(hours=24)


def alerts() -> QuerySet[Alert]:
    """Return all alerts."""
    return Alert.objects.all()


def alert_of(alert_id: UUID) -> Alert:
    """Return one alert; raises NotFound."""
    alert = Alert.objects.filter(id=alert_id).first()
    if alert is None:
        raise NotFound
    return alert


def entries_of(alert: Alert) -> QuerySet[AlertEntry]:
    """Return the alert's history, first line first."""
    return AlertEntry.objects.filter(alert=alert).order_by("id")


def tellings_of(alert: Alert) -> QuerySet[AlertTelling]:
    """Return where each channel stands with the alert."""
    return AlertTelling.objects.filter(alert=alert).order_by("channel")


def open_by_severity() -> dict[str, int]:
    """Return how many alerts are open, for every severity."""
    return _counted(Alert.objects.filter(state__in=OPEN_STATES), "severity", AlertSeverity.values)


def alert_stats(*, now: datetime) -> dict[str, Any]:
    """Return the figures of what is open now and of the last 24 hours; means are in seconds, None without a case."""
    since = now - STATS_SPAN
    recent = Alert.objects.filter(opened_at__gte=since)
    sums = recent.aggregate(n=Count("id"), raised=Sum("count", default=0))
    return {
        "open": {
            "by_severity": open_by_severity(),
            "by_event": _counted(Alert.objects.filter(state__in=OPEN_STATES), "event", AlertEvent.values),
            "acknowledged": Alert.objects.filter(state=AlertState.ACKNOWLEDGED).count(),
        },
        "last_24_hours": {
            "opened": sums["n"],
            "raised": sums["raised"],
            "by_severity": _counted(recent, "severity", AlertSeverity.values),
            "resolved": Alert.objects.filter(resolved_at__gte=since).count(),
            "mean_seconds_to_acknowledge": _mean_seconds(
                Alert.objects.filter(acknowledged_at__gte=since), F("acknowledged_at")
            ),
            "mean_seconds_to_resolve": _mean_seconds(Alert.objects.filter(resolved_at__gte=since), F("resolved_at")),
        },
        "channels": {name.value: _channel_figures(name, since) for name in ChannelName},
    }


def _channel_figures(name: ChannelName, since: datetime) -> dict[str, int]:
    entries = AlertEntry.objects.filter(channel=name, at__gte=since)
    kinds = _counted(entries, "kind", (EntryKind.NOTIFIED, EntryKind.SUPPRESSED, EntryKind.NOT_NOTIFIED))
    unsaid = AlertAllowance.objects.filter(channel=name).aggregate(n=Sum("suppressed", default=0))["n"]
    return {
        "told": kinds[EntryKind.NOTIFIED],
        "suppressed": kinds[EntryKind.SUPPRESSED],
        "failed": kinds[EntryKind.NOT_NOTIFIED],
        "suppressed_and_not_said_yet": unsaid,
        "waiting": AlertTelling.objects.filter(channel=name, has_job=True).count(),
    }


def _counted(rows: QuerySet[Any], column: str, names: Any) -> dict[str, int]:
    found: Mapping[str, int] = dict(rows.order_by().values_list(column).annotate(Count("id")))
    return {str(name): found.get(str(name), 0) for name in names}


def _mean_seconds(rows: QuerySet[Alert], until: F) -> float | None:
    lasted = ExpressionWrapper(until - F("opened_at"), output_field=DurationField())
    mean: timedelta | None = rows.aggregate(mean=Avg(lasted))["mean"]
    return None if mean is None else round(mean.total_seconds(), 1)
