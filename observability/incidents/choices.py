"""Closed lists of incidents. A leaf: it imports nothing of the house, so that models and migrations can."""

from django.db import models


class IncidentKind(models.TextChoices):
    """What went wrong; each kind has one runbook (`runbooks/`)."""

    SERVICE_DOWN = "SERVICE_DOWN", "Service down"
    HIGH_ERROR_RATE = "HIGH_ERROR_RATE", "High error rate"
    MODEL_FAILURE = "MODEL_FAILURE", "Model failure"
    DATABASE_FAILURE = "DATABASE_FAILURE", "Database failure"
    SECURITY_BREACH = "SECURITY_BREACH", "Security breach"


class IncidentSeverity(models.TextChoices):
    """`P1`: people cannot work, or data is at risk. `P4`: somebody should look within days."""

    P1 = "P1", "P1 critical"
    P2 = "P2", "P2 high"
    P3 = "P3", "P3 moderate"
    P4 = "P4", "P4 low"


class IncidentStatus(models.TextChoices):
    """`MITIGATED`: the fault is gone by what was measured; a person still has to say that it is over (`RESOLVED`).

    `CLOSED`: the report is written.
    """

    OPEN = "OPEN", "Open"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    MITIGATED = "MITIGATED", "Mitigated"
    RESOLVED = "RESOLVED", "Resolved"
    CLOSED = "CLOSED", "Closed"


OPEN_STATUSES = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED, IncidentStatus.MITIGATED)


class StepState(models.TextChoices):
    """`FAILED`: the action ran and found or met trouble; it can be run again."""

    PENDING = "PENDING", "To do"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"
    SKIPPED = "SKIPPED", "Skipped"


class TimelineKind(models.TextChoices):
    """What a row of an incident's timeline tells."""

    OPENED = "OPENED", "Opened"
    REOPENED = "REOPENED", "Came back"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    SEVERITY_RAISED = "SEVERITY_RAISED", "Severity raised"
    ESCALATED = "ESCALATED", "Escalated"
    STEP_STARTED = "STEP_STARTED", "Step started"
    STEP_DONE = "STEP_DONE", "Step done"
    STEP_FAILED = "STEP_FAILED", "Step failed"
    STEP_SKIPPED = "STEP_SKIPPED", "Step skipped"
    ALERT = "ALERT", "Alert"
    MITIGATED = "MITIGATED", "Mitigated"
    RESOLVED = "RESOLVED", "Resolved"
    REPORTED = "REPORTED", "Report written"
    CLOSED = "CLOSED", "Closed"
