"""Closed lists of the operations floor."""

from django.db import models


class JobState(models.TextChoices):
    """`FAILED`: refused for its input, final. `DEAD`: attempts spent, a dead letter that can be replayed."""

    PENDING = "PENDING", "Pending"
    RUNNING = "RUNNING", "Running"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"
    DEAD = "DEAD", "Dead"
