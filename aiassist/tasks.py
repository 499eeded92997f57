"""What the worker does for the opinion engine's floor: forget old answers, watch the model's health."""

from __future__ import annotations

from uuid import UUID

from aiassist.gateway.remembering_provider import forget_expired_answers
from aiassist.monitoring.watching import (
    HEALTH_JOB,
    REPORT_SECONDS,
    WATCH_SECONDS,
    report_tenants,
    run_health_job,
    watch_tenants,
)
from observability.jobs import JobKind, Lease, register_kind
from observability.timers import register_timer
from tenancy.scope import tenant_scope


def check_health(lease: Lease) -> None:
    with tenant_scope(UUID(lease.tenant_ref)):
        run_health_job(lease=lease)


register_kind(JobKind(HEALTH_JOB, check_health))
# A day's answers go within the hour they expire in; oftener would only write more.
register_timer("aiassist.forget_answers", 3600.0, forget_expired_answers)
register_timer("aiassist.watch_drift", WATCH_SECONDS, watch_tenants)
register_timer("aiassist.health_reports", REPORT_SECONDS, report_tenants)
