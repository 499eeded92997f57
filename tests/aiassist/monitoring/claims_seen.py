"""Streams of observations as assessed claims would have left them, for the tests of model health."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from django.db import transaction
from django.utils import timezone

from aiassist.assessment.severity import load_model
from aiassist.choices import ReportCause
from aiassist.models import Observation
from aiassist.monitoring.health import health_document
from aiassist.monitoring.shift import Floats
from aiassist.monitoring.watching import look_at_claims, store_report
from aiassist.types import Outcome, Severity
from observability.ids import new_id
from tenancy.models import Tenant
from tenancy.scope import tenant_scope

FEATURES = ("impact_jolt_z", "max_jolt_z", "usual_ground_flow", "skid_seconds")
MIX = (0.55, 0.2, 0.15, 0.1)


def see_claims(
    tenant: Tenant,
    count: int,
    *,
    seed: int = 1,
    moved: float = 0.0,
    mix: tuple[float, ...] = MIX,
    agreed: float | None = None,
    degraded: float = 0.0,
    since: datetime | None = None,
    a_day: int = 250,
    version: str = "",
) -> datetime:
    """Store claims at an even pace from `since` (default: so that they end a minute and a half ago); return their end.

    The first feature is `moved` by so many standard deviations; with `agreed` a person has decided every claim and
    agrees with that share of the AI's severities.
    """
    source = np.random.default_rng(seed)
    step = timedelta(days=1) / a_day
    begin = since or timezone.now() - timedelta(seconds=90) - step * count
    values = source.standard_normal((count, len(FEATURES)))
    values[:, 0] += moved
    labels = source.choice([str(label) for label in Severity], size=count, p=mix)
    agrees = source.random(count) < (1.0 if agreed is None else agreed)
    gone = source.random(count) < degraded
    rows = [
        _row(labels[place], values[place], begin + step * place, bool(gone[place]), version) for place in range(count)
    ]
    if agreed is not None:
        for row, agree in zip(rows, agrees, strict=True):
            other = Severity.LOW if row.severity != Severity.LOW else Severity.HIGH
            row.human_severity = row.severity if agree else other
            row.decided_at, row.decision = row.observed_at + timedelta(minutes=1), "APPROVE"
    with tenant_scope(tenant.id):
        for row in rows:
            row.tenant_id = tenant.id
        Observation.objects.bulk_create(rows, batch_size=500)
    return begin + step * count


def drifting(tenant: Tenant) -> UUID:
    """Let the tenant's claims drift and one group be rejected more often; return the id of a report that says so."""
    end = see_claims(tenant, 1_400, since=timezone.now() - timedelta(days=10), agreed=0.9)
    see_claims(tenant, 500, since=end, moved=1.0, agreed=0.7, seed=2)
    with tenant_scope(tenant.id):
        recent = list(Observation.objects.order_by("-observed_at")[:600])
        for place, row in enumerate(recent):
            row.groups = {"channel": "WEB" if place % 3 else "BROKER", "sound": "YES" if place % 2 else "NO"}
            row.decision = "REJECT" if place % 10 < (5 if place % 3 else 2) else "APPROVE"
        Observation.objects.bulk_update(recent, ["groups", "decision"])
        look_at_claims(now=timezone.now())
        status, document = health_document(now=timezone.now())
        with transaction.atomic():
            made = store_report("task:test", ReportCause.ON_DEMAND, status, document, now=timezone.now())
    return made.id


def _row(label: str, values: Floats, at: datetime, degraded: bool, version: str) -> Observation:
    return Observation(
        assessment_id=new_id(),
        observed_at=at,
        outcome=Outcome.ASSESSED,
        severity=str(label),
        features={name: round(float(value), 4) for name, value in zip(FEATURES, values, strict=True)},
        fraud_risk_score=round(float(abs(values[1])) / 10, 4) % 1.0,
        fraud_flagged=False,
        provider_name="rules" if degraded else "openai",
        model_version=version or load_model().version,
        degraded=degraded,
    )
