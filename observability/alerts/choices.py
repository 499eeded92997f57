"""Closed lists of alerting."""

from django.db import models


class AlertEvent(models.TextChoices):
    """What an alert is about; the catalogue has severity, runbook and words of each."""

    HIGH_ERROR_RATE = "HIGH_ERROR_RATE", "High error rate"
    HIGH_LATENCY = "HIGH_LATENCY", "High latency"
    SYSTEM_DOWN = "SYSTEM_DOWN", "System down"
    DEPLOYMENT_STATUS = "DEPLOYMENT_STATUS", "Deployment status"
    MODEL_FAILURE = "MODEL_FAILURE", "Model failure"
    SECURITY_BREACH = "SECURITY_BREACH", "Security breach"
    HIGH_RISK_PREDICTION = "HIGH_RISK_PREDICTION", "High-risk prediction"
    DATABASE_FAILURE = "DATABASE_FAILURE", "Database failure"
    QUEUE_BACKLOG = "QUEUE_BACKLOG", "Queue backlog"
    CIRCUIT_BREAKER_OPEN = "CIRCUIT_BREAKER_OPEN", "Circuit breaker open"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED", "Budget exceeded"
    DRIFT_DETECTED = "DRIFT_DETECTED", "Drift detected"


class AlertSeverity(models.TextChoices):
    """From the gravest to the mildest."""

    CRITICAL = "CRITICAL", "Critical"
    ERROR = "ERROR", "Error"
    WARNING = "WARNING", "Warning"
    INFO = "INFO", "Info"


class AlertState(models.TextChoices):
    """`ACKNOWLEDGED`: a person has taken it on; it is still open."""

    OPEN = "OPEN", "Open"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    RESOLVED = "RESOLVED", "Resolved"


class EntryKind(models.TextChoices):
    """What can happen to an alert. Raises that found it open are not here: the alert counts them."""

    RAISED = "RAISED", "Raised"
    ESCALATED = "ESCALATED", "Became graver"
    NOTIFIED = "NOTIFIED", "Told"
    NOT_NOTIFIED = "NOT_NOTIFIED", "Could not be told"
    SUPPRESSED = "SUPPRESSED", "Not told, the limit was reached"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    RESOLVED = "RESOLVED", "Resolved"


class ChannelName(models.TextChoices):
    PAGERDUTY = "PAGERDUTY", "PagerDuty"
    SLACK = "SLACK", "Slack"


class Step(models.TextChoices):
    """What a channel is told of an alert."""

    TRIGGER = "TRIGGER", "Opened"
    ACKNOWLEDGE = "ACKNOWLEDGE", "Acknowledged"
    RESOLVE = "RESOLVE", "Resolved"


class TellingState(models.TextChoices):
    """Where a channel stands. `NOT_NEEDED`: the alert was over, or in hand, before the channel was told of it."""

    PENDING = "PENDING", "To be told"
    TOLD = "TOLD", "Told"
    SUPPRESSED = "SUPPRESSED", "Not told, the limit was reached"
    NOT_NEEDED = "NOT_NEEDED", "Over before it was told"
    FAILED = "FAILED", "Could not be told"


OPEN_STATES = (AlertState.OPEN, AlertState.ACKNOWLEDGED)
_BY_GRAVITY = tuple(AlertSeverity)


def milder_than(severity: AlertSeverity) -> tuple[AlertSeverity, ...]:
    """Return the severities below this one."""
    return _BY_GRAVITY[_BY_GRAVITY.index(severity) + 1 :]
