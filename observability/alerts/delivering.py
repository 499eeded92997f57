"""One attempt to tell a channel: read, send with no transaction open, record under the job's lease."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from observability import metrics
from observability.alerts.channels.registry import CHANNELS
from observability.alerts.channels.types import Channel, Message, Said
from observability.alerts.choices import AlertSeverity, ChannelName, EntryKind, Step, TellingState
from observability.alerts.limits import Allowance, note_said, take_allowance
from observability.alerts.messages import message_of
from observability.alerts.models import Alert, AlertTelling
from observability.alerts.raising import write_entry
from observability.breakers import BreakerOpen, ask_permit, record_call
from observability.errors import PlatformError
from observability.jobs import Lease, argument_id, continue_job, finish_job
from observability.outbound.addresses import Target, parse_target
from observability.outbound.transport import Answer, Limits, post

log = structlog.get_logger(__name__)

# About eight hours of a service that is away: by then a person has seen the desk.
MOST_ATTEMPTS = 100
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 2.0, 300.0
_JITTER = 0.2
_LIMITS = Limits(connect_seconds=5.0, total_seconds=10.0)
_HEADERS = {"Content-Type": "application/json", "User-Agent": "Claimwright-Alerts/1"}


class Post(Protocol):
    """The way to the service."""

    def __call__(self, target: Target, *, headers: dict[str, str], body: bytes, limits: Limits) -> Answer: ...


@dataclass(frozen=True)
class _Order:
    """All that one attempt needs, read in one go; `version` is what was wanted then."""

    telling_id: UUID
    version: int
    channel: Channel
    message: Message


def tell_channel(*, lease: Lease, send: Post = post) -> None:
    """Bring the channel of the job one step nearer to what is wanted, or end the job where it is there already.

    A killed attempt was not recorded and is made again, which the services bear: PagerDuty knows the `dedup_key`, on
    Slack it is a second line. Raises LeaseLost when another worker took over.
    """
    order = _begin(lease=lease, now=timezone.now())
    if order is None:
        return
    try:
        said = call_channel(order.channel, order.channel.body(order.message), send=send)
    except BreakerOpen as closed:
        _wait_for_breaker(lease=lease, order=order, seconds=closed.retry_after_seconds, now=timezone.now())
        return
    _record(lease=lease, order=order, said=said, now=timezone.now())


def call_channel(channel: Channel, body: bytes, *, send: Post = post) -> Said:
    """Send the body to the channel's service and return what came of it; raises BreakerOpen."""
    permit = ask_permit(name=channel.breaker, now=timezone.now())
    began = time.monotonic()
    try:
        target = parse_target(channel.url(), allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
        answer = send(target, headers=dict(_HEADERS), body=body, limits=_LIMITS)
    except PlatformError as refusal:  # the address in the settings is none that may be called
        answer = Answer(None, refusal.code, 0)
    said = channel.judge(answer, now=timezone.now())
    record_call(permit=permit, failed=said.outage, seconds=time.monotonic() - began, now=timezone.now())
    return said


def bury_telling(*, telling_id: UUID, code: str, now: datetime) -> None:
    """Give a telling whose job ended without an answer its last outcome. Safe to run twice."""
    with transaction.atomic():
        telling = AlertTelling.objects.select_related("alert").filter(id=telling_id, has_job=True).first()
        if telling is None:
            return
        AlertTelling.objects.filter(id=telling_id).update(
            has_job=False, state=TellingState.FAILED, error_code=code[:64], next_attempt_at=None
        )
        write_entry(telling.alert, EntryKind.NOT_NOTIFIED, now=now, channel=telling.channel, code=code)
    _count(telling.channel, "failed")


def pause_seconds(attempt: int, asked: float) -> float:
    """Return the jittered pause after the given attempt (1 is the first), at least what the service asked for."""
    doublings = min(attempt - 1, 10)
    pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * float(2**doublings))
    return max(asked, pause * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311  # jitter, not a secret


@transaction.atomic(durable=True)
def _begin(*, lease: Lease, now: datetime) -> _Order | None:
    """Return what to send; None when there is nothing to send, and the job is over then."""
    rows = AlertTelling.objects.select_for_update().filter(id=argument_id(lease.arguments, "telling_id"))
    telling = rows.first()
    if telling is None:
        finish_job(lease=lease, result={"state": "DELETED"}, now=now)
        return None
    alert, channel = telling.alert, CHANNELS[ChannelName(telling.channel)]
    settled, allowance = _settled(telling, channel, alert, now)
    if settled:
        rows.update(state=settled, has_job=False, next_attempt_at=None)
        finish_job(lease=lease, result={"state": settled}, now=now)
        return None
    rows.update(begun=True)
    message = message_of(alert, step=Step(telling.wanted), not_told=allowance.suppressed)
    return _Order(telling.id, telling.version, channel, message)


def _settled(
    telling: AlertTelling, channel: Channel, alert: Alert, now: datetime
) -> tuple[TellingState | None, Allowance]:
    """Return the state in which nothing (more) is to be sent, else None and what the limit said."""
    granted = Allowance(granted=True)
    if telling.state != TellingState.PENDING and telling.state != TellingState.FAILED:
        return TellingState(telling.state), granted
    if not channel.is_set_up():
        return TellingState.NOT_NEEDED, granted
    if telling.begun:
        return None, granted
    if telling.wanted != Step.TRIGGER:
        return TellingState.NOT_NEEDED, granted
    allowance = take_allowance(
        channel=ChannelName(telling.channel), severity=AlertSeverity(telling.wanted_severity), now=now
    )
    if allowance.granted:
        return None, allowance
    write_entry(alert, EntryKind.SUPPRESSED, now=now, channel=telling.channel, code="rate_limit")
    _count(telling.channel, "suppressed")
    return TellingState.SUPPRESSED, allowance


@transaction.atomic(durable=True)
def _wait_for_breaker(*, lease: Lease, order: _Order, seconds: float, now: datetime) -> None:
    run_after = now + timedelta(seconds=max(1.0, seconds))
    AlertTelling.objects.filter(id=order.telling_id).update(error_code="breaker_open", next_attempt_at=run_after)
    continue_job(lease=lease, percent=0, now=now, run_after=run_after)
    _count(order.channel.name, "breaker_open")


@transaction.atomic(durable=True)
def _record(*, lease: Lease, order: _Order, said: Said, now: datetime) -> None:
    """Write what came of the attempt; if something else is wanted by now, the job goes on with that at once."""
    rows = AlertTelling.objects.select_for_update().filter(id=order.telling_id)
    telling = rows.first()
    if telling is None:
        finish_job(lease=lease, result={"state": "DELETED"}, now=now)
        return
    if said.told:
        _note_told(telling, order, now)
    if telling.version != order.version:
        continue_job(lease=lease, percent=0, now=now)
        return
    attempts = telling.attempts + 1
    over = said.told or said.final or attempts >= MOST_ATTEMPTS
    run_after = None if over else now + timedelta(seconds=pause_seconds(attempts, said.wait_seconds))
    state = TellingState.TOLD if said.told else TellingState.FAILED if over else TellingState.PENDING
    rows.update(attempts=attempts, state=state, error_code=said.error_code, next_attempt_at=run_after, has_job=not over)
    if run_after is not None:
        _count(order.channel.name, "retried")
        continue_job(lease=lease, percent=0, now=now, run_after=run_after)
        return
    if not said.told:
        write_entry(telling.alert, EntryKind.NOT_NOTIFIED, now=now, channel=telling.channel, code=said.error_code)
        log.error("alert_not_told", alert=str(telling.alert_id), channel=telling.channel, code=said.error_code)
        _count(order.channel.name, "failed")
    finish_job(lease=lease, result={"state": state}, now=now)


def _note_told(telling: AlertTelling, order: _Order, now: datetime) -> None:
    message = order.message
    AlertTelling.objects.filter(id=telling.id).update(told=message.step, told_at=now)
    write_entry(telling.alert, EntryKind.NOTIFIED, now=now, channel=telling.channel, code=message.step)
    note_said(channel=ChannelName(telling.channel), severity=message.severity, number=message.not_told)
    _count(order.channel.name, "told")


def _count(channel: str, outcome: str) -> None:
    metrics.ALERT_TELLINGS.labels(channel=channel.lower(), outcome=outcome).inc()
