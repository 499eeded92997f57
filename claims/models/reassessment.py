"""Which claims are to be assessed again, in which task, and what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from claims.choices import ReassessmentState
from claims.models.assessment import Assessment
from claims.models.claim import Claim
from tenancy.owned import TenantOwned


class Reassessment(TenantOwned):
    """One claim of one task. The constraint on open rows makes two requests at once one run."""

    task_id = models.UUIDField(help_text="The job that works on it.")
    position = models.PositiveSmallIntegerField()
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="reassessments")
    state = models.CharField(max_length=8, choices=ReassessmentState, default=ReassessmentState.PENDING)
    code = models.CharField(max_length=64, blank=True, help_text="Why it was skipped or failed.")
    assessment = models.ForeignKey(
        Assessment, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="The newer version."
    )
    requested_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "claim"],
                condition=Q(state=ReassessmentState.PENDING),
                name="reassessment_open_once",
            ),
            models.UniqueConstraint(fields=["tenant", "task_id", "position"], name="reassessment_position_once"),
            models.CheckConstraint(
                name="reassessment_done_has_version",
                condition=~Q(state=ReassessmentState.DONE) | Q(assessment__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id} {self.state}"
