"""The claim and the file it came with."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from aiassist.types import Stage
from claims.choices import ClaimStatus, PartyRole, ReviewPriority
from claims.models.policy import Policy
from tenancy.owned import TenantOwned


class VideoFile(TenantOwned):
    """One stored video. The same bytes are kept once per tenant, never shared between tenants."""

    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    storage_key = models.CharField(max_length=200, unique=True)
    media_type = models.CharField(max_length=40)
    codec = models.CharField(max_length=40)
    width_px = models.PositiveIntegerField()
    height_px = models.PositiveIntegerField()
    duration_seconds = models.FloatField(null=True, blank=True)
    perceptual_hashes = models.JSONField(default=list, blank=True)
    stored_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "sha256"], name="video_once_per_tenant")]
        indexes = [models.Index(fields=["tenant", "-stored_at"], name="video_newest")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]}… {self.size_bytes} bytes"


class Claim(TenantOwned):
    """A first notice of loss and everything that became of it. `status` is written by `claims/workflow.py` alone."""

    claim_number = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=ClaimStatus, default=ClaimStatus.RECEIVED)
    version = models.PositiveIntegerField(default=1, help_text="Counts every change that a decision must not overlook.")
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    video = models.ForeignKey(VideoFile, on_delete=models.PROTECT, related_name="claims")
    policy = models.ForeignKey(Policy, null=True, blank=True, on_delete=models.PROTECT, related_name="claims")
    policy_number = models.CharField(max_length=64, blank=True)
    vehicle_plate = models.CharField(max_length=20, blank=True)
    loss_at = models.DateTimeField(null=True, blank=True)
    loss_location = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    file_name = models.CharField(
        max_length=255,
        blank=True,
        help_text="What this person called the file; another person's name is not theirs to see.",
    )
    received_at = models.DateTimeField()
    restricted = models.BooleanField(
        default=False, help_text="Special investigation: open to those it was granted to, administrators and auditors."
    )

    stage = models.CharField(max_length=16, choices=[(s, s.title()) for s in Stage], blank=True)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    assessment = models.ForeignKey(
        "claims.Assessment",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The newest opinion; older ones stay beside it.",
    )
    review_priority = models.CharField(max_length=16, choices=ReviewPriority, blank=True)
    queue_rank = models.PositiveSmallIntegerField(default=1, help_text="0 first; a claim that waits too long moves up.")
    waiting_since = models.DateTimeField(null=True, blank=True)
    review_due_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        permissions = [("open_restricted_claim", "Can open a restricted claim")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "claim_number"], name="claim_number_once"),
            models.UniqueConstraint(fields=["tenant", "video", "submitted_by"], name="claim_once_per_video_and_person"),
            models.CheckConstraint(
                name="claim_awaiting_is_complete",
                condition=~Q(status=ClaimStatus.AWAITING_REVIEW)
                | Q(assessment__isnull=False, review_due_at__isnull=False, waiting_since__isnull=False),
            ),
            models.CheckConstraint(name="claim_progress_percent", condition=Q(progress_percent__lte=100)),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "queue_rank", "review_due_at", "id"],
                name="claim_review_queue",
                condition=Q(status=ClaimStatus.AWAITING_REVIEW),
            ),
            models.Index(fields=["tenant", "-received_at", "-id"], name="claim_newest"),
            models.Index(fields=["tenant", "status", "-received_at", "-id"], name="claim_by_status"),
            models.Index(fields=["tenant", "submitted_by", "-received_at", "-id"], name="claim_by_person"),
        ]

    def __str__(self) -> str:
        return self.claim_number


class Resubmission(TenantOwned):
    """The same bytes came again: which number was given, by whom, when."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="resubmissions")
    claim_number = models.CharField(max_length=64)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.claim_number} again"


class Party(TenantOwned):
    """A person in the claim. Personal data stands here and nowhere else."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="parties")
    role = models.CharField(max_length=16, choices=PartyRole)
    name = models.CharField(max_length=150, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    account = models.CharField(max_length=64, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "parties"
        indexes = [models.Index(fields=["tenant", "claim"], name="party_by_claim")]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of {self.claim_id}"
