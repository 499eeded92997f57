"""Who holds a claim right now, and what people decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from aiassist.types import Severity
from claims.models import Assessment, Claim
from reviews.choices import DecisionKind, LabelState
from tenancy.owned import TenantOwned


class ReviewLease(TenantOwned):
    """One reviewer's hold on one claim. Taken by a single conditional write; `token` fences late decisions."""

    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="lease")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    token = models.UUIDField()
    taken_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "holder", "expires_at"], name="lease_by_holder")]

    def __str__(self) -> str:
        return f"{self.claim_id} held until {self.expires_at:%H:%M}"


class Decision(TenantOwned):
    """What a person decided, bound to the assessment they saw. Never changed, only followed by another.

    `claim_version` is the claim's version at the moment of the decision: two people cannot decide the same one.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="decisions")
    claim_version = models.PositiveIntegerField()
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=20, choices=DecisionKind)
    reasoning = models.TextField()
    severity_override = models.CharField(max_length=8, choices=[(s, s) for s in Severity], blank=True)
    fault_override_pct = models.FloatField(null=True, blank=True)
    fraud_override = models.BooleanField(null=True, blank=True)
    fraud_suspected = models.BooleanField(
        null=True, blank=True, help_text="What the person said about fraud, also where it agrees with the AI."
    )
    override_reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    review_seconds = models.FloatField(null=True, blank=True, help_text="From taking the lease to the decision.")

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "claim", "claim_version"], name="decision_once_per_version"),
            models.CheckConstraint(
                name="decision_override_has_reason",
                condition=Q(severity_override="", fault_override_pct__isnull=True, fraud_override__isnull=True)
                | ~Q(override_reason=""),
            ),
            models.CheckConstraint(
                name="decision_fault_pct",
                condition=Q(fault_override_pct__isnull=True)
                | Q(fault_override_pct__gte=0, fault_override_pct__lte=100),
            ),
            models.CheckConstraint(name="decision_has_reasoning", condition=~Q(reasoning="")),
        ]
        indexes = [models.Index(fields=["tenant", "-decided_at"], name="decision_newest")]

    def __str__(self) -> str:
        return f"{self.decision} {self.claim_id}"


class BlindLabel(TenantOwned):
    """A decided claim that was drawn for a second severity, by a person who has seen neither the AI's nor the first.

    Whether it is drawn follows from the decision's id and the share alone (`reviews.labels.draw_number`).
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="+")
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="+")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+")
    inclusion_probability = models.FloatField(help_text="The tenant's share when it was drawn.")
    drawn_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=LabelState, default=LabelState.WAITING)
    severity = models.CharField(max_length=8, choices=[(s, s) for s in Severity], blank=True)
    labelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    labelled_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assessment"], name="blind_label_once_per_assessment"),
            models.CheckConstraint(
                name="blind_label_share", condition=Q(inclusion_probability__gt=0, inclusion_probability__lte=1)
            ),
            models.CheckConstraint(
                name="blind_label_severity_iff_labelled",
                condition=(Q(state=LabelState.LABELLED) & ~Q(severity=""))
                | (~Q(state=LabelState.LABELLED) & Q(severity="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "drawn_at", "id"], name="blind_label_waiting", condition=Q(state=LabelState.WAITING)
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} label of {self.claim_id}"
