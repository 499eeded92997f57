"""Closed lists of the operations floor."""

from django.db import models


class JobState(models.TextChoices):
    """`FAILED`: refused for its input, final. `DEAD`: attempts spent, a dead letter that can be replayed."""

    PENDING = "PENDING", "Pending"
    RUNNING = "RUNNING", "Running"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    DEAD = "DEAD", "Dead"


class BreakerState(models.TextChoices):
    """`OPEN`: no call passes. `HALF_OPEN`: one call, the probe, is on its way."""

    CLOSED = "CLOSED", "Closed"
    OPEN = "OPEN", "Open"
    HALF_OPEN = "HALF_OPEN", "Half open"


class LetterResolution(models.TextChoices):
    """How a dead letter ended. `RETRIED`: its job ran again. `RESOLVED`: mended elsewhere. `DROPPED`: given up."""

    RETRIED = "RETRIED", "Retried"
    RESOLVED = "RESOLVED", "Resolved"
    DROPPED = "DROPPED", "Dropped"
