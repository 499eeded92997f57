"""What this floor watches: breakers, models, queue, dead letters, workers, components, requests, sign-ins, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from observability.alerts.choices import AlertEvent, AlertSeverity
from observability.alerts.raising import Fact
from observability.alerts.watching import Condition, register_watcher
from observability.breakers import breaker_rows
from observability.choices import BreakerState, JobState
from observability.dead_letters import open_letters_by_kind
from observability.degradation import Trouble
from observability.gauges import job_counts, oldest_waiting_seconds
from observability.health import readiness
from observability.heartbeats import living_workers
from observability.models import RunningVersion, WorkerHeartbeat
from observability.request_minutes import request_sums
from observability.request_standing import SPAN_MINUTES, error_share, standing_of
from observability.service_level import read_standing

# So much worse than the bound is graver by one severity.
_MUCH_WORSE = 5
# One look that times out on a busy machine is no outage.
_LOOKS_TO_BELIEVE = 3
_IN_THE_DATABASE = frozenset({"database", "migrations"})
_PRODUCT = "claimwright"


def register_watchers() -> None:
    register_watcher("breakers", open_breakers)
    register_watcher("queue", queue_backlog)
    register_watcher("dead-letters", dead_letters)
    register_watcher("components", _Components())
    register_watcher("models", no_model)
    register_watcher("workers", no_worker)
    register_watcher("requests", troubled_requests)
    register_watcher("sign-ins", failed_authentication)
    register_watcher("version", _Version())


def open_breakers(now: datetime) -> Iterator[Condition]:
    """A breaker that a person holds open is told mildly: somebody knows."""
    for row in breaker_rows(now=now).exclude(state=BreakerState.CLOSED):
        severity = AlertSeverity.INFO if row.forced_open else None
        opened_at = f"{row.opened_at:%Y-%m-%dT%H:%M:%SZ}"
        facts: dict[str, Fact] = {"state": row.state, "forced_open": row.forced_open, "opened_at": opened_at}
        yield Condition(AlertEvent.CIRCUIT_BREAKER_OPEN, subject=row.name, severity=severity, facts=facts)


def queue_backlog(now: datetime) -> Iterator[Condition]:
    waiting, oldest = int(job_counts()[(JobState.PENDING,)]), oldest_waiting_seconds()[()]
    times = max(waiting / settings.ALERT_BACKLOG_JOBS, oldest / settings.ALERT_BACKLOG_SECONDS)
    if times >= 1:
        facts = {"waiting_jobs": waiting, "oldest_seconds": int(oldest)}
        severity = AlertSeverity.ERROR if times >= _MUCH_WORSE else AlertSeverity.WARNING
        yield Condition(AlertEvent.QUEUE_BACKLOG, subject="jobs", severity=severity, facts=facts)


def dead_letters(now: datetime) -> Iterator[Condition]:
    for kind, number in open_letters_by_kind().items():
        yield Condition(AlertEvent.QUEUE_BACKLOG, subject=f"dead/{kind}", facts={"dead_letters": number})


def no_model(now: datetime) -> Iterator[Condition]:
    """Every model provider that is set up is left alone by its breaker: the rules stand in for all of them."""
    if Trouble.MODELS_AWAY in {rule.trouble for rule in read_standing(now=now).rules}:
        yield Condition(AlertEvent.MODEL_FAILURE, subject="every-provider")


def no_worker(now: datetime) -> Iterator[Condition]:
    """Workers that ended in order have signed off; here none lives and at least one did not sign off."""
    lost = WorkerHeartbeat.objects.count()
    if lost and not living_workers(now=now).exists():
        waiting = int(job_counts()[(JobState.PENDING,)])
        facts: dict[str, Fact] = {"lost_workers": lost, "waiting_jobs": waiting}
        yield Condition(AlertEvent.SYSTEM_DOWN, subject="workers", facts=facts)


def troubled_requests(now: datetime) -> Iterator[Condition]:
    sums = request_sums(minutes=SPAN_MINUTES, now=now)
    standing = standing_of(sums)
    if standing.errors is not None and standing.errors >= 1:
        yield Condition(
            AlertEvent.HIGH_ERROR_RATE,
            subject="http",
            severity=AlertSeverity.CRITICAL if standing.errors >= _MUCH_WORSE else AlertSeverity.ERROR,
            facts={
                "requests": sums.requests,
                "server_errors": sums.server_errors,
                "share": round(error_share(sums), 4),
            },
        )
    if standing.latency is not None and standing.latency >= 1 and sums.p95_seconds is not None:
        yield Condition(
            AlertEvent.HIGH_LATENCY,
            subject="http",
            severity=AlertSeverity.ERROR if standing.latency >= _MUCH_WORSE else AlertSeverity.WARNING,
            facts={"requests": sums.timed, "p95_seconds": round(sums.p95_seconds, 3)},
        )


def failed_authentication(now: datetime) -> Iterator[Condition]:
    failures = request_sums(minutes=SPAN_MINUTES, now=now).unauthorised
    if failures >= settings.ALERT_AUTH_FAILURES:
        grave = failures >= _MUCH_WORSE * settings.ALERT_AUTH_FAILURES
        yield Condition(
            AlertEvent.SECURITY_BREACH,
            subject="authentication",
            severity=AlertSeverity.CRITICAL if grave else AlertSeverity.ERROR,
            facts={"failures": failures, "minutes": SPAN_MINUTES},
        )


class _Components:
    """What readiness finds broken several times in a row."""

    def __init__(self) -> None:
        self._broken: dict[str, int] = {}

    def __call__(self, now: datetime) -> Iterator[Condition]:
        findings = [finding for finding in readiness() if not finding.ok]
        self._broken = {finding.name: self._broken.get(finding.name, 0) + 1 for finding in findings}
        for finding in findings:
            if self._broken[finding.name] >= _LOOKS_TO_BELIEVE:
                inside = finding.name in _IN_THE_DATABASE
                yield Condition(
                    AlertEvent.DATABASE_FAILURE if inside else AlertEvent.SYSTEM_DOWN,
                    subject=finding.name,
                    severity=AlertSeverity.CRITICAL if finding.required else AlertSeverity.ERROR,
                    facts={"problem": re.sub(r"[^\w.-]+", "_", finding.problem)[:64]},
                )


class _Version:
    """Each process tells once whether it is of another version than the one that was started last."""

    def __init__(self) -> None:
        self._looked = False

    def __call__(self, now: datetime) -> Iterator[Condition]:
        if self._looked:
            return
        version = str(settings.VERSION)
        row, new = RunningVersion.objects.get_or_create(name=_PRODUCT, defaults={"version": version, "since": now})
        changed = RunningVersion.objects.filter(name=_PRODUCT, version=row.version).exclude(version=version)
        if not new and changed.update(version=version, since=now):
            yield Condition(AlertEvent.DEPLOYMENT_STATUS, subject=version, facts={"version_before": row.version})
        self._looked = True
