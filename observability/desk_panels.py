"""The panels of this floor: components, breakers, jobs, workers, dead letters."""

from __future__ import annotations

from datetime import datetime

from observability.alerts.channels.registry import configured_channels
from observability.alerts.choices import OPEN_STATES, AlertEvent, AlertSeverity, AlertState
from observability.alerts.models import Alert
from observability.breakers import breaker_facts, breaker_rows
from observability.choices import BreakerState, JobState
from observability.dead_letters import open_letters_by_kind
from observability.degradation import ServiceLevel
from observability.desk import Panel, PanelRow, PanelState, Tone, in_words, register_panel
from observability.gauges import job_counts, oldest_waiting_seconds
from observability.health import readiness
from observability.heartbeats import living_workers, lost_since
from observability.models import WorkerHeartbeat
from observability.service_level import read_standing

# A due job normally starts within a second or two; a sweep that lost its message finds it after five.
_WATCH_WAITING_SECONDS = 60.0
_BAD_WAITING_SECONDS = 300.0
_MOST_ROWS = 5
_LEVEL_TONES = {
    ServiceLevel.FULL: Tone.GOOD,
    ServiceLevel.DEGRADED: Tone.WATCH,
    ServiceLevel.MINIMAL: Tone.BAD,
    ServiceLevel.UNAVAILABLE: Tone.BAD,
}
_MOST_READ_ALERTS = 200
_OPEN_ALERTS = "?state__in=OPEN,ACKNOWLEDGED"


def register_panels() -> None:
    register_panel(Panel("service-level", "Service level", 5, level_panel))
    register_panel(Panel("components", "Components", 10, components_panel))
    register_panel(Panel("jobs", "Jobs", 20, jobs_panel, "admin:observability_job_changelist"))
    register_panel(Panel("workers", "Workers", 30, workers_panel, "admin:observability_workerheartbeat_changelist"))
    register_panel(Panel("alerts", "Alerts", 15, alerts_panel, "admin:observability_alert_changelist", _OPEN_ALERTS))
    register_panel(
        Panel("breakers", "Circuit breakers", 40, breakers_panel, "admin:observability_circuitbreaker_changelist")
    )
    register_panel(
        Panel(
            "dead-letters",
            "Dead letters",
            50,
            dead_letters_panel,
            "admin:observability_deadletter_changelist",
            "?waits=yes",
        )
    )


def level_panel(now: datetime) -> PanelState:
    standing = read_standing(now=now)
    rows = [PanelRow(rule.trouble.label, rule.level.label, _LEVEL_TONES[rule.level]) for rule in standing.rules]
    if standing.is_full:
        return PanelState(Tone.GOOD, "Full")
    return PanelState(_LEVEL_TONES[standing.level], f"{standing.level.label}: {standing.rules[0].works}", rows)


def components_panel(_now: datetime) -> PanelState:
    """What this process needs to serve, as readiness sees it."""
    findings = readiness()
    rows = [
        PanelRow(
            finding.name.capitalize(),
            finding.problem.replace("_", " ") or "answers",
            Tone.GOOD if finding.ok else Tone.BAD if finding.required else Tone.WATCH,
        )
        for finding in findings
    ]
    broken = [finding.name for finding in findings if not finding.ok]
    if not broken:
        return PanelState(Tone.GOOD, "All answer", rows)
    tone = Tone.BAD if any(not finding.ok and finding.required for finding in findings) else Tone.WATCH
    return PanelState(tone, f"Away: {', '.join(broken)}", rows)


def jobs_panel(_now: datetime) -> PanelState:
    counts, oldest = job_counts(), oldest_waiting_seconds()[()]
    pending, running = (int(counts[(state,)]) for state in (JobState.PENDING, JobState.RUNNING))
    tone = Tone.BAD if oldest >= _BAD_WAITING_SECONDS else Tone.WATCH if oldest >= _WATCH_WAITING_SECONDS else Tone.GOOD
    rows = [
        PanelRow("Pending", str(pending)),
        PanelRow("Running", str(running)),
        PanelRow("Oldest that is due", in_words(oldest) if pending else "none", tone),
    ]
    return PanelState(tone, f"{pending + running} open" if pending + running else "Nothing waits", rows)


def workers_panel(now: datetime) -> PanelState:
    beats = list(WorkerHeartbeat.objects.order_by("-seen_at")[:_MOST_ROWS])
    fresh, alive = lost_since(now), living_workers(now=now).count()
    rows = [
        PanelRow(
            beat.name,
            f"up {in_words((now - beat.started_at).total_seconds())}"
            if beat.seen_at >= fresh
            else f"gone for {in_words((now - beat.seen_at).total_seconds())}",
            Tone.GOOD if beat.seen_at >= fresh else Tone.WATCH,
        )
        for beat in beats
    ]
    if not alive:
        return PanelState(Tone.BAD, "None is alive", rows)
    return PanelState(Tone.GOOD, f"{alive} alive", rows)


def alerts_panel(now: datetime) -> PanelState:
    """The gravest first; a person who took one on has seen it, so it only wants to be watched."""
    found = list(Alert.objects.filter(state__in=OPEN_STATES).order_by("-opened_at")[:_MOST_READ_ALERTS])
    gravity = list(AlertSeverity)
    found.sort(key=lambda alert: gravity.index(AlertSeverity(alert.severity)))
    rows = [
        PanelRow(
            _alert_label(alert),
            f"{_alert_words(alert)}, {in_words((now - alert.opened_at).total_seconds())}",
            _tone(alert),
        )
        for alert in found[:_MOST_ROWS]
    ]
    if not configured_channels():
        rows.append(PanelRow("Channels", "none is set up: nobody is told", Tone.WATCH))
    if not found:
        return PanelState(Tone.GOOD, "None is open", rows)
    tones = {_tone(alert) for alert in found}
    tone = Tone.BAD if Tone.BAD in tones else Tone.WATCH if Tone.WATCH in tones else Tone.GOOD
    more = "at least " if len(found) == _MOST_READ_ALERTS else ""
    return PanelState(tone, f"{more}{len(found)} open", rows)


def _alert_label(alert: Alert) -> str:
    label = AlertEvent(alert.event).label
    return f"{label}: {alert.subject}" if alert.subject else str(label)


def _alert_words(alert: Alert) -> str:
    severity = AlertSeverity(alert.severity).label.lower()
    return f"{severity}, taken on" if alert.state == AlertState.ACKNOWLEDGED else severity


def _tone(alert: Alert) -> Tone:
    if alert.severity == AlertSeverity.INFO:
        return Tone.GOOD
    grave = alert.severity in (AlertSeverity.CRITICAL, AlertSeverity.ERROR)
    return Tone.BAD if grave and alert.state == AlertState.OPEN else Tone.WATCH


def breakers_panel(now: datetime) -> PanelState:
    facts = [breaker_facts(row, now=now) for row in breaker_rows(now=now).order_by("name")]
    away = [fact for fact in facts if fact.state != BreakerState.CLOSED]
    rows = [
        PanelRow(
            fact.name,
            "held open by a person" if fact.forced_open else BreakerState(fact.state).label.lower(),
            Tone.WATCH,
        )
        for fact in away[:_MOST_ROWS]
    ]
    if not away:
        return PanelState(Tone.GOOD, f"All {len(facts)} closed", rows)
    return PanelState(Tone.WATCH, f"{len(away)} of {len(facts)} not closed", rows)


def dead_letters_panel(_now: datetime) -> PanelState:
    kinds = open_letters_by_kind()
    if not kinds:
        return PanelState(Tone.GOOD, "None waits")
    rows = [PanelRow(kind, str(count), Tone.WATCH) for kind, count in list(kinds.items())[:_MOST_ROWS]]
    total = sum(kinds.values())
    return PanelState(Tone.WATCH, f"{total} wait{'s' if total == 1 else ''} for a person", rows)
