"""Decisions, holds and blind labels on the operator's site: to look at, by superusers. Services alone write them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin

from reviews.models import BlindLabel, Decision, ReviewLease
from tenancy.admin_site import TenantOwnedAdmin


@admin.register(Decision)
class DecisionAdmin(TenantOwnedAdmin):
    list_display = ("claim", "decision", "decided_by", "decided_at", "overridden", "review_seconds")
    list_filter: ClassVar[Any] = ("tenant", "decision")
    list_select_related: ClassVar[Any] = ("tenant", "claim", "decided_by")
    search_fields = ("=id", "=claim__claim_number", "=decided_by__username")
    ordering = ("-decided_at",)

    @admin.display(boolean=True)
    def overridden(self, decision: Decision) -> bool:
        """Whether the person differed from the AI in anything."""
        return bool(decision.override_reason)


@admin.register(ReviewLease)
class ReviewLeaseAdmin(TenantOwnedAdmin):
    list_display = ("claim", "holder", "taken_at", "expires_at")
    list_select_related: ClassVar[Any] = ("tenant", "claim", "holder")
    search_fields = ("=claim__claim_number", "=holder__username")
    ordering = ("-expires_at",)
    exclude = ("token",)


@admin.register(BlindLabel)
class BlindLabelAdmin(TenantOwnedAdmin):
    list_display = ("claim", "state", "severity", "inclusion_probability", "drawn_at", "labelled_by", "labelled_at")
    list_filter: ClassVar[Any] = ("tenant", "state", "severity")
    list_select_related: ClassVar[Any] = ("tenant", "claim", "labelled_by")
    search_fields = ("=id", "=claim__claim_number")
    ordering = ("-drawn_at",)
