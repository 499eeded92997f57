"""The claim and the file it came with."""

from __future__ import annotations

from functools import cached_property

from django.conf import settings
from django.db import models
from django.db.models import Q

from aiassist.types import Stage
from claims.choices import ClaimStatus, PartyRole, ReviewPriority
from claims.models.policy import Policy
from claims.models.told import Contact, Told, claim_place, contact_of, party_place, told_of
from tenancy.models import VaultKey
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
    removed_at = models.DateTimeField(null=True, blank=True, help_text="The file is gone.")

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "sha256"], name="video_once_per_tenant", condition=Q(removed_at__isnull=True)
            )
        ]
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
    loss_at = models.DateTimeField(null=True, blank=True)
    subject_key = models.ForeignKey(
        VaultKey, null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    sealed = models.TextField(blank=True, editable=False, help_text="What was told, under the subject's key: `told`.")
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

    closed_at = models.DateTimeField(null=True, blank=True, help_text="Since when nothing is left to do; keeping ends.")
    held_since = models.DateTimeField(null=True, blank=True, help_text="A legal hold: nothing of it is erased.")
    hold_reason = models.TextField(blank=True)
    media_removed_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        permissions = [("open_restricted_claim", "Can open a restricted claim")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "claim_number"], name="claim_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "video", "submitted_by"],
                name="claim_once_per_video_and_person",
                condition=Q(media_removed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="claim_awaiting_is_complete",
                condition=~Q(status=ClaimStatus.AWAITING_REVIEW)
                | Q(assessment__isnull=False, review_due_at__isnull=False, waiting_since__isnull=False),
            ),
            models.CheckConstraint(name="claim_progress_percent", condition=Q(progress_percent__lte=100)),
            models.CheckConstraint(
                name="claim_sealed_has_key",
                condition=Q(sealed="") | Q(subject_key__isnull=False, erased_at__isnull=True),
            ),
            models.CheckConstraint(
                name="claim_hold_outranks_erasure", condition=Q(held_since__isnull=True) | Q(erased_at__isnull=True)
            ),
            models.CheckConstraint(
                name="claim_erased_has_no_media",
                condition=Q(erased_at__isnull=True) | Q(media_removed_at__isnull=False),
            ),
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
            models.Index(
                fields=["tenant", "closed_at"],
                name="claim_retention",
                condition=Q(closed_at__isnull=False, erased_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.claim_number

    @cached_property
    def told(self) -> Told:
        """What people told, opened once; empty with its state where it is erased or cannot be read."""
        return told_of(self.subject_key, self.sealed, place=claim_place(claim_id=self.id, tenant_id=self.tenant_id))


class Resubmission(TenantOwned):
    """The same bytes came again: which number was given, by whom, when."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="resubmissions")
    claim_number = models.CharField(max_length=64)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.claim_number} again"


class Party(TenantOwned):
    """A person in the claim; who they are is sealed under the claim's key."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="parties")
    role = models.CharField(max_length=16, choices=PartyRole)
    sealed = models.TextField(blank=True, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "parties"
        indexes = [models.Index(fields=["tenant", "claim"], name="party_by_claim")]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of {self.claim_id}"

    @cached_property
    def contact(self) -> Contact:
        """Who it is, opened once; empty with its state where it is erased or cannot be read."""
        place = party_place(party_id=self.id, tenant_id=self.tenant_id)
        return contact_of(self.claim.subject_key, self.sealed, place=place)
