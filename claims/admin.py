"""The claim file on the operator's site: to look at, by superusers. Everything in it is written by services alone."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin

from claims.models import Assessment, Claim, Coverage, Evidence, Party, Policy, Reassessment, Resubmission, VideoFile
from tenancy.admin_site import TenantOwnedAdmin


@admin.register(Claim)
class ClaimAdmin(TenantOwnedAdmin):
    list_display = (
        "claim_number",
        "tenant",
        "status",
        "review_priority",
        "progress_percent",
        "attempts",
        "received_at",
    )
    list_filter: ClassVar[Any] = ("tenant", "status", "review_priority")
    list_select_related: ClassVar[Any] = ("tenant",)
    search_fields = ("=id", "=claim_number", "=policy_number")
    ordering = ("-received_at",)


@admin.register(Assessment)
class AssessmentAdmin(TenantOwnedAdmin):
    list_display = ("claim", "version", "outcome", "severity", "review_priority", "provider_name", "created_at")
    list_filter: ClassVar[Any] = ("tenant", "outcome", "severity", "degraded")
    list_select_related: ClassVar[Any] = ("tenant", "claim")
    search_fields = ("=id", "=claim__claim_number", "=job_id")
    ordering = ("-created_at",)
    # Thousands of values; the claim's page draws them.
    exclude = ("signals",)


@admin.register(Evidence)
class EvidenceAdmin(TenantOwnedAdmin):
    list_display = ("kind", "stage", "measure", "value", "threshold", "at_seconds")
    list_filter: ClassVar[Any] = ("tenant", "stage")
    list_select_related: ClassVar[Any] = ("tenant",)
    search_fields = ("=id", "=assessment__id", "=assessment__claim__claim_number")
    ordering = ("-id",)


@admin.register(Reassessment)
class ReassessmentAdmin(TenantOwnedAdmin):
    list_display = ("claim", "state", "code", "task_id", "requested_at", "ended_at")
    list_filter: ClassVar[Any] = ("tenant", "state")
    list_select_related: ClassVar[Any] = ("tenant", "claim")
    search_fields = ("=id", "=task_id", "=claim__claim_number")
    ordering = ("-requested_at",)


@admin.register(VideoFile)
class VideoFileAdmin(TenantOwnedAdmin):
    list_display = ("sha256", "tenant", "size_bytes", "media_type", "codec", "duration_seconds", "stored_at")
    list_filter: ClassVar[Any] = ("tenant", "media_type")
    list_select_related: ClassVar[Any] = ("tenant",)
    search_fields = ("=id", "=sha256", "=storage_key")
    ordering = ("-stored_at",)


@admin.register(Resubmission)
class ResubmissionAdmin(TenantOwnedAdmin):
    list_display = ("claim", "claim_number", "submitted_by", "received_at")
    list_select_related: ClassVar[Any] = ("tenant", "claim", "submitted_by")
    search_fields = ("=claim_number", "=claim__claim_number")
    ordering = ("-received_at",)


@admin.register(Party)
class PartyAdmin(TenantOwnedAdmin):
    list_display = ("claim", "role")
    list_select_related: ClassVar[Any] = ("tenant", "claim")
    search_fields = ("=claim__claim_number",)
    ordering = ("-id",)


@admin.register(Policy)
class PolicyAdmin(TenantOwnedAdmin):
    list_display = ("policy_number", "tenant", "vehicle_plate", "effective_on", "expires_on")
    list_filter: ClassVar[Any] = ("tenant",)
    list_select_related: ClassVar[Any] = ("tenant",)
    search_fields = ("=id", "=policy_number", "=vehicle_plate")
    ordering = ("policy_number",)


@admin.register(Coverage)
class CoverageAdmin(TenantOwnedAdmin):
    list_display = ("policy", "kind", "limit_amount", "deductible_amount", "currency")
    list_select_related: ClassVar[Any] = ("tenant", "policy")
    search_fields = ("=policy__policy_number", "=kind")
    ordering = ("policy__policy_number", "kind")
