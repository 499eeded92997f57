"""The monitoring's own work: looks every few minutes, a report a day or on demand, alerts while something is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from aiassist.choices import EngineAction, ReportCause
from aiassist.models import DriftLook, HealthReport
from aiassist.monitoring.drift import DriftLevel
from aiassist.monitoring.health import health_document
from aiassist.monitoring.looks import look, newest_look, newest_reference, next_look, record_look, reference_in_force
from aiassist.monitoring.promise import tell_of_calibration
from observability.alerts.choices import AlertEvent, AlertSeverity
from observability.alerts.raising import raise_alert, resolve_alert
from observability.choices import JobState
from observability.ids import new_id
from observability.jobs import Lease, enqueue_job, finish_job, record_progress
from observability.models import Job
from tenancy.audit import record_event
from tenancy.choices import Scope, TenantStatus
from tenancy.models import Tenant
from tenancy.permissions import require_scope
from tenancy.principals import Principal
from tenancy.scope import current_tenant_id, tenant_scope

log = structlog.get_logger(__name__)

HEALTH_JOB = "aiassist.model_health"
# At 1,000 claims a day some four come in meanwhile.
WATCH_SECONDS = 300.0
REPORT_SECONDS = 86_400.0
# Of one job; 20,000 claims. What is left over is due at the next watch.
_MOST_LOOKS = 200
_SUBJECT = "severity-model"
_SEVERITIES = {DriftLevel.SEVERE: AlertSeverity.ERROR, DriftLevel.MODERATE: AlertSeverity.WARNING}


def watch_tenants(*, now: datetime) -> int:
    """Have a job look where a look is due, and tell what is wrong or over; return how many jobs began."""
    begun = 0
    for tenant_id in _watched_tenants():
        with tenant_scope(tenant_id):
            tell(now=now)
            tell_of_calibration(now=now)
            reference = reference_in_force(now=now)
            if reference is not None and next_look(reference, now=now) is not None:
                begun += _begin(run="", cause=ReportCause.SCHEDULED, now=now)
    return begun


def report_tenants(*, now: datetime) -> int:
    """Have a job make the day's report for every tenant; return how many jobs began."""
    begun = 0
    for tenant_id in _watched_tenants():
        with tenant_scope(tenant_id):
            run = f"day:{now.astimezone(UTC):%Y-%m-%d}"
            if not HealthReport.objects.filter(run=run).exists():
                begun += _begin(run=run, cause=ReportCause.SCHEDULED, now=now)
    return begun


@transaction.atomic(durable=True)
def request_report(*, actor: Principal, now: datetime) -> UUID:
    """Have a report made and return its task's id. Writes Job, AuditEvent. Raises PermissionRefused."""
    require_scope(actor, Scope.ADMIN)
    task_id = new_id()
    _enqueue(
        task_id, run=f"task:{task_id}", cause=ReportCause.ON_DEMAND, requested_by=str(actor.user_id or ""), now=now
    )
    record_event(
        action=EngineAction.HEALTH_REPORT_REQUESTED,
        actor=actor,
        object_type="health_report",
        object_id=task_id,
        now=now,
        after={"task_id": task_id},
    )
    return task_id


def run_health_job(*, lease: Lease) -> None:
    """Work off the looks that are due, then make the report if one is wanted. The caller is in the tenant's scope.

    Writes DriftLook, HealthReport, Alert. Safe to run again: looks and reports are there once.
    """
    look_at_claims(now=timezone.now())
    record_progress(lease=lease, percent=80)
    run = lease.arguments.get("run", "")
    document = health_document(now=timezone.now()) if run else None
    now = timezone.now()
    with transaction.atomic(durable=True):
        report = None
        if document is not None:
            report = store_report(run, ReportCause(lease.arguments["cause"]), *document, now=now)
        result = {"report_id": str(report.id), "status": report.status} if report else {}
        finish_job(lease=lease, result=result, now=now)


def look_at_claims(*, now: datetime) -> int:
    """Make the looks that are due, oldest first, and tell what they found; return how many were made."""
    made = 0
    reference = reference_in_force(now=now)
    while reference is not None and made < _MOST_LOOKS:
        due = next_look(reference, now=now)
        if due is None:
            break
        verdict = look(reference, due, now=now)
        record_look(reference, due, verdict, now=now)
        made += 1
    tell(now=now)
    return made


@transaction.atomic
def tell(*, now: datetime) -> None:
    """Raise the alerts of an episode, once however often it is seen, and resolve them when it is over."""
    tenant_id, found = current_tenant_id(), newest_look(newest_reference())
    if found is None or not found.in_episode:
        resolve_alert(AlertEvent.DRIFT_DETECTED, _SUBJECT, tenant_id, now=now)
        resolve_alert(AlertEvent.MODEL_FAILURE, _SUBJECT, tenant_id, now=now)
        return
    facts = _facts(found)
    severity = _SEVERITIES.get(DriftLevel(found.level), AlertSeverity.WARNING)
    raise_alert(AlertEvent.DRIFT_DETECTED, severity=severity, subject=_SUBJECT, tenant=tenant_id, facts=facts, now=now)
    if _has_failed(found):
        raise_alert(AlertEvent.MODEL_FAILURE, subject=_SUBJECT, tenant=tenant_id, facts=facts, now=now)
    else:
        resolve_alert(AlertEvent.MODEL_FAILURE, _SUBJECT, tenant_id, now=now)


def store_report(
    run: str, cause: ReportCause, status: str, document: Mapping[str, Any], *, now: datetime
) -> HealthReport:
    """Keep the report of a run, once; a repeated run gets the one that is there. Inside the caller's transaction."""
    known: HealthReport | None = HealthReport.objects.filter(run=run).first()
    if known is not None:
        return known
    plain = json.loads(json.dumps(document, cls=DjangoJSONEncoder))
    made: HealthReport = HealthReport.objects.create(
        run=run, cause=cause, status=str(status), document=plain, made_at=now
    )
    log.info("health_report_made", status=made.status, cause=made.cause)
    return made


def _has_failed(found: DriftLook) -> bool:
    """Whether the model is not there for claims, or people mostly correct it."""
    service, agreement = found.findings["service"]["level"], found.findings["agreement"]["level"]
    return service in (DriftLevel.MODERATE, DriftLevel.SEVERE) or agreement == DriftLevel.SEVERE


def _facts(found: DriftLook) -> dict[str, str | int | float | None]:
    features = [one for one in found.findings["features"] if one["level"] not in (DriftLevel.NONE, "NOT_ENOUGH")]
    return {
        "look": found.number,
        "level": found.level,
        "features": len(features),
        "first_feature": features[0]["name"] if features else "",
        "prediction_level": found.findings["predictions"]["level"],
        "agreement_level": found.findings["agreement"]["level"],
        "service_level": found.findings["service"]["level"],
    }


def _watched_tenants() -> list[UUID]:
    return list(Tenant.objects.filter(status=TenantStatus.ACTIVE).order_by("id").values_list("id", flat=True))


def _begin(*, run: str, cause: ReportCause, now: datetime) -> bool:
    """Enqueue the tenant's job unless the same one waits or runs already."""
    open_jobs = Job.objects.filter(
        kind=HEALTH_JOB,
        tenant_ref=str(current_tenant_id()),
        state__in=(JobState.PENDING, JobState.RUNNING),
        arguments__run=run,
    )
    if open_jobs.exists():
        return False
    with transaction.atomic():
        _enqueue(new_id(), run=run, cause=cause, requested_by="", now=now)
    return True


def _enqueue(job_id: UUID, *, run: str, cause: ReportCause, requested_by: str, now: datetime) -> None:
    tenant_ref = str(current_tenant_id())
    arguments = {"tenant_id": tenant_ref, "run": run, "cause": str(cause), "requested_by": requested_by}
    enqueue_job(kind=HEALTH_JOB, tenant_ref=tenant_ref, arguments=arguments, now=now, job_id=job_id)
