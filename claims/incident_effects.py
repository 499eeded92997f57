"""What an incident did to claims, for its report."""

from __future__ import annotations

from datetime import datetime

from aiassist.types import Outcome
from claims.models import Assessment
from observability.incidents.effects import Effect, register_effect
from tenancy.scope import every_tenant


def register_effects() -> None:
    register_effect(Effect("claims_degraded", "claims assessed without every part of the AI", _degraded))
    register_effect(Effect("claims_not_assessable", "claims that nobody but a person could assess", _not_assessable))


def _degraded(since: datetime, until: datetime) -> int:
    return _claims(since, until, degraded=True)


def _not_assessable(since: datetime, until: datetime) -> int:
    return _claims(since, until, outcome=Outcome.NOT_ASSESSABLE)


def _claims(since: datetime, until: datetime, **which: object) -> int:
    with every_tenant("an incident's report counts what it did"):
        rows = Assessment.objects.filter(created_at__gte=since, created_at__lte=until, **which)
        return rows.order_by().values("claim_id").distinct().count()
