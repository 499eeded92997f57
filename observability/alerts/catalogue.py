"""What is known of each kind of alert before it happens: how grave, what it means, what to do, when it is over."""

from __future__ import annotations

from dataclasses import dataclass

from observability.alerts.choices import AlertEvent, AlertSeverity


@dataclass(frozen=True)
class EventFacts:
    """`runbook` is the key of the runbook to follow, empty where none is needed.

    An alert that its owner no longer raises is resolved after `quiet_seconds`; with None only its owner or a person
    ends it. What a watcher raised is over `ALERT_QUIET_SECONDS` after the watcher sees it no more.
    """

    event: AlertEvent
    severity: AlertSeverity
    meaning: str
    runbook: str = ""
    quiet_seconds: int | None = None


_MINUTE, _HOUR = 60, 3_600
_EVENTS = (
    EventFacts(
        AlertEvent.HIGH_ERROR_RATE,
        AlertSeverity.ERROR,
        "Too many requests end in an error of the server.",
        "high_error_rate",
        10 * _MINUTE,
    ),
    EventFacts(
        AlertEvent.HIGH_LATENCY,
        AlertSeverity.WARNING,
        "Answers take longer than they should.",
        "high_error_rate",
        10 * _MINUTE,
    ),
    EventFacts(
        AlertEvent.SYSTEM_DOWN,
        AlertSeverity.CRITICAL,
        "A component that the service needs does not answer.",
        "service_down",
        10 * _MINUTE,
    ),
    EventFacts(
        AlertEvent.DEPLOYMENT_STATUS,
        AlertSeverity.INFO,
        "Another version of the software started.",
        quiet_seconds=_HOUR,
    ),
    EventFacts(
        AlertEvent.MODEL_FAILURE,
        AlertSeverity.ERROR,
        "A model does not answer, or not usably; the rules stand in for it.",
        "model_failure",
        15 * _MINUTE,
    ),
    EventFacts(
        AlertEvent.SECURITY_BREACH,
        AlertSeverity.CRITICAL,
        "Something points to an attack or a leak.",
        "security_breach",
    ),
    EventFacts(
        AlertEvent.HIGH_RISK_PREDICTION,
        AlertSeverity.WARNING,
        "An assessment found a high risk of fraud; the claim waits for a person.",
        quiet_seconds=_HOUR,
    ),
    EventFacts(
        AlertEvent.DATABASE_FAILURE,
        AlertSeverity.CRITICAL,
        "The database does not answer, or its tables are older than the software.",
        "database_failure",
        10 * _MINUTE,
    ),
    EventFacts(
        AlertEvent.QUEUE_BACKLOG,
        AlertSeverity.WARNING,
        "Jobs wait too long, or ended without a result.",
        "service_down",
        30 * _MINUTE,
    ),
    EventFacts(
        AlertEvent.CIRCUIT_BREAKER_OPEN,
        AlertSeverity.WARNING,
        "A service is left alone for a while, because its calls failed.",
        "model_failure",
        30 * _MINUTE,
    ),
    EventFacts(AlertEvent.BUDGET_EXCEEDED, AlertSeverity.WARNING, "Spending reached a limit that a tenant has set."),
    EventFacts(
        AlertEvent.DRIFT_DETECTED,
        AlertSeverity.WARNING,
        "The data or the answers of a model are no longer what they were.",
        "model_failure",
    ),
)
CATALOGUE = {facts.event: facts for facts in _EVENTS}
