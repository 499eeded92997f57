"""What the worker does for alerts: look what is wrong, tell the channels, forget what is long over."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone

from observability.alerts.delivering import bury_telling, tell_channel
from observability.alerts.retention import purge_old_alerts
from observability.alerts.summaries import SUMMARY_JOB, say_suppressed, send_summary
from observability.alerts.telling import TELL_JOB
from observability.alerts.watching import sweep_alerts
from observability.alerts.without_database import DatabaseWatch
from observability.jobs import JobKind, Lease, argument_id, register_kind
from observability.request_minutes import purge_old_minutes
from observability.timers import register_timer


def tell(lease: Lease) -> None:
    tell_channel(lease=lease)


def summarise(lease: Lease) -> None:
    send_summary(lease=lease)


def bury(arguments: Mapping[str, str], code: str) -> None:
    bury_telling(telling_id=argument_id(arguments, "telling_id"), code=code, now=timezone.now())


register_kind(JobKind(TELL_JOB, tell, bury))
register_kind(JobKind(SUMMARY_JOB, summarise))
register_timer("alerts.sweep", settings.ALERT_SWEEP_SECONDS, sweep_alerts)
register_timer("alerts.say_suppressed", 60.0, say_suppressed)
# In every worker, in a thread of its own: without the database there is no window to take.
register_timer("alerts.database", 10.0, DatabaseWatch().look, alone=True)
register_timer("request_minutes.purge", 86_400.0, purge_old_minutes)
register_timer("alerts.purge", 86_400.0, purge_old_alerts)
