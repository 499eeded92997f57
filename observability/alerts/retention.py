"""Forgets alerts that have long been over, with their history."""

from __future__ import annotations

from datetime import datetime, timedelta

from observability.alerts.choices import AlertState
from observability.alerts.models import Alert

# A quarter, so that a quarter's review of what woke people has its figures.
KEPT = timedelta(days=92)
_MOST_AT_ONCE = 1000


def purge_old_alerts(*, now: datetime) -> int:
    """Delete alerts resolved longer ago than they are kept; return how many (a timer calls this)."""
    old = Alert.objects.filter(state=AlertState.RESOLVED, resolved_at__lt=now - KEPT).order_by("resolved_at")
    ids = list(old.values_list("id", flat=True)[:_MOST_AT_ONCE])
    Alert.objects.filter(id__in=ids).delete()
    return len(ids)
