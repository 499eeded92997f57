"""How many alerts a channel is told of: per channel and severity in a window, taken by conditional updates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from observability.alerts.choices import AlertSeverity, ChannelName
from observability.alerts.models import AlertAllowance


@dataclass(frozen=True)
class Allowance:
    """Whether an alert may be told; `suppressed` is how many were not since it was last said."""

    granted: bool
    suppressed: int = 0


def take_allowance(*, channel: ChannelName, severity: AlertSeverity, now: datetime) -> Allowance:
    """Use one of the window's tellings, in the caller's transaction, or count that there was none left.

    A window that begins in the future comes from a clock that was set back, and is begun anew.
    """
    limit = settings.ALERT_LIMITS[severity]
    rows = AlertAllowance.objects.filter(channel=channel, severity=severity)
    if not rows.exists():
        new = AlertAllowance(channel=channel, severity=severity, window_started_at=now)
        AlertAllowance.objects.bulk_create([new], ignore_conflicts=True)
    over = Q(window_started_at__lte=now - timedelta(seconds=limit.seconds)) | Q(window_started_at__gt=now)
    rows.filter(over).update(window_started_at=now, used=0)
    if rows.filter(used__lt=limit.count).update(used=F("used") + 1):
        return Allowance(granted=True, suppressed=rows.get().suppressed)
    rows.update(suppressed=F("suppressed") + 1)
    return Allowance(granted=False)


def note_said(*, channel: ChannelName, severity: AlertSeverity, number: int) -> bool:
    """Take from the count what the channel was told; what was suppressed meanwhile stays. False if it was said
    already."""
    rows = AlertAllowance.objects.filter(channel=channel, severity=severity, suppressed__gte=max(1, number))
    return bool(number and rows.update(suppressed=F("suppressed") - number))


def windows_to_close(*, channel: ChannelName, now: datetime) -> list[AlertAllowance]:
    """Return the allowances of the channel whose window is over with something that was not said yet."""
    rows = AlertAllowance.objects.filter(channel=channel, suppressed__gt=0)
    return [row for row in rows if _is_over(row, now)]


def _is_over(row: AlertAllowance, now: datetime) -> bool:
    passed = now - row.window_started_at
    return passed < timedelta() or passed >= timedelta(seconds=settings.ALERT_LIMITS[row.severity].seconds)
