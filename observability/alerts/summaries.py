"""Says what a limit held back: once its window is over, one line on the channel with the number."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from observability.alerts.channels.registry import CHANNELS
from observability.alerts.channels.slack import summary_body
from observability.alerts.choices import AlertSeverity, ChannelName
from observability.alerts.delivering import Post, call_channel
from observability.alerts.limits import note_said, windows_to_close
from observability.errors import Unavailable
from observability.jobs import Lease, enqueue_job, finish_job
from observability.outbound.transport import post

SUMMARY_JOB = "alerts.summary"


def say_suppressed(*, now: datetime) -> int:
    """Have Slack told how many alerts its limits held back; return of how many severities (a timer calls this).

    PagerDuty is told with the next page: a page about pages would wake somebody for nothing.
    """
    if not CHANNELS[ChannelName.SLACK].is_set_up():
        return 0
    rows = windows_to_close(channel=ChannelName.SLACK, now=now)
    for row in rows:
        with transaction.atomic():
            severity = AlertSeverity(row.severity)
            if note_said(channel=ChannelName.SLACK, severity=severity, number=row.suppressed):
                arguments = {"severity": severity.value, "number": str(row.suppressed)}
                enqueue_job(kind=SUMMARY_JOB, tenant_ref="", arguments=arguments, now=now)
    return len(rows)


def send_summary(*, lease: Lease, send: Post = post) -> None:
    """Post the line. A service that fails is tried again as every job is; raises Unavailable then."""
    body = summary_body(severity=AlertSeverity(lease.arguments["severity"]), number=int(lease.arguments["number"]))
    said = call_channel(CHANNELS[ChannelName.SLACK], body, send=send)
    if not said.told and not said.final:
        raise Unavailable(code=said.error_code)
    with transaction.atomic():
        finish_job(lease=lease, result={"told": said.told, "error_code": said.error_code}, now=timezone.now())
