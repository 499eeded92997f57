"""What the worker does for this floor: assess claims, erase what is due, and clear up after killed processes."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.utils import timezone

from claims.intake import sweep_quarantine
from claims.services import (
    ASSESS_JOB,
    REASSESS_JOB,
    REMOVE_MEDIA_JOB,
    apply_retention,
    assess_claim,
    bury_reassessment,
    reassess_next,
    record_unassessable,
    recount_stored_bytes,
    remove_media,
    rescue_stranded_claims,
)
from claims.storage import sweep_publications
from observability.jobs import JobKind, Lease, argument_id, register_kind
from observability.timers import register_timer
from tenancy.scope import tenant_scope

# What is swept is an hour old; looking six times an hour is often enough.
_SWEEP_SECONDS = 600.0
_RECOUNT_SECONDS = 6 * 3600.0
# Times of keeping are days; an hour late is on time.
_RETENTION_SECONDS = 3600.0
_RESCUE_SECONDS = 300.0


def assess(lease: Lease) -> None:
    with tenant_scope(UUID(lease.tenant_ref)):
        assess_claim(lease=lease)


def bury(arguments: Mapping[str, str], code: str) -> None:
    claim_id, tenant_id = argument_id(arguments, "claim_id"), argument_id(arguments, "tenant_id")
    record_unassessable(claim_id=claim_id, tenant_id=tenant_id, code=code, now=timezone.now())


def reassess(lease: Lease) -> None:
    with tenant_scope(UUID(lease.tenant_ref)):
        reassess_next(lease=lease)


def end_reassessment(arguments: Mapping[str, str], code: str) -> None:
    task_id, tenant_id = argument_id(arguments, "task_id"), argument_id(arguments, "tenant_id")
    bury_reassessment(task_id=task_id, tenant_id=tenant_id, code=code, now=timezone.now())


def clear_media(lease: Lease) -> None:
    with tenant_scope(UUID(lease.tenant_ref)):
        remove_media(lease=lease, now=timezone.now())


register_kind(JobKind(ASSESS_JOB, assess, bury))
register_kind(JobKind(REASSESS_JOB, reassess, end_reassessment))
register_timer("claims.recount_stored_bytes", _RECOUNT_SECONDS, recount_stored_bytes)
register_kind(JobKind(REMOVE_MEDIA_JOB, clear_media))
register_timer("claims.sweep_quarantine", _SWEEP_SECONDS, sweep_quarantine)
register_timer("claims.sweep_publications", _SWEEP_SECONDS, sweep_publications)
register_timer("claims.apply_retention", _RETENTION_SECONDS, apply_retention)
register_timer("claims.rescue_stranded", _RESCUE_SECONDS, rescue_stranded_claims)
