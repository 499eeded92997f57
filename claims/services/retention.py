"""What a tenant keeps no longer than it has decided: removed in batches by a timer, each claim in its own commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import QuerySet

from claims.errors import ClaimOpen, LegalHold
from claims.models import Claim
from claims.services.erasing import commit_erasure, commit_media_removal
from tenancy.models import Tenant
from tenancy.policy import TenantPolicy, policy_from
from tenancy.principals import Principal, system_principal
from tenancy.scope import tenant_scope

log = structlog.get_logger(__name__)

# A tenant and class per run: some seconds of work; what is left over is due at the next run.
BATCH = 200


def apply_retention(*, now: datetime) -> int:
    """Erase what is due for every tenant and return how many claims that were (a timer calls this)."""
    done = 0
    for tenant_id, settings in Tenant.objects.order_by("id").values_list("id", "settings"):
        with tenant_scope(tenant_id):
            done += _apply(policy_from(settings), system_principal(tenant_id=tenant_id, name="retention"), now)
    return done


def _apply(policy: TenantPolicy, actor: Principal, now: datetime) -> int:
    done = 0
    if policy.retention_days_personal_data is not None:
        due = _closed_before(now - timedelta(days=policy.retention_days_personal_data))
        done += _each(due, lambda claim_id: _erase(actor, claim_id, now))
    if policy.retention_days_video is not None:
        due = _closed_before(now - timedelta(days=policy.retention_days_video))
        done += _each(due.filter(media_removed_at__isnull=True), lambda claim_id: _remove_media(actor, claim_id, now))
    return done


def _closed_before(moment: datetime) -> QuerySet[Claim]:
    closed = Claim.objects.filter(closed_at__lt=moment, erased_at__isnull=True, held_since__isnull=True)
    return closed.order_by("closed_at", "id")


def _each(due: QuerySet[Claim], act: Callable[[UUID], bool]) -> int:
    done = 0
    for claim_id in list(due.values_list("id", flat=True)[:BATCH]):
        try:
            done += act(claim_id)
        except (LegalHold, ClaimOpen) as refusal:  # held or reopened since it was looked for
            log.info("retention_left_alone", claim_id=str(claim_id), code=refusal.code)
    return done


def _erase(actor: Principal, claim_id: UUID, now: datetime) -> bool:
    return not commit_erasure(actor=actor, claim_id=claim_id, reason="retention_days_personal_data", now=now).again


def _remove_media(actor: Principal, claim_id: UUID, now: datetime) -> bool:
    return commit_media_removal(actor=actor, claim_id=claim_id, reason="retention_days_video", now=now)
