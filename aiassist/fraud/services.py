"""Writes of a tenant's fraud models: trained, activated, retired, each with its audit event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from aiassist.choices import EngineAction, FraudModelState
from aiassist.fraud.errors import FraudModelNotFound, FraudModelNotWaiting, FraudModelRefused
from aiassist.models import FraudModelVersion
from tenancy.audit import record_event
from tenancy.choices import ActorType, Scope
from tenancy.permissions import require_scope
from tenancy.principals import Principal


@transaction.atomic(durable=True)
def store_fraud_model(*, actor: Principal, columns: Mapping[str, Any], now: datetime) -> FraudModelVersion:
    """Keep a trained model, as candidate or as refused. Writes FraudModelVersion and AuditEvent."""
    require_administrator(actor)
    version: FraudModelVersion = FraudModelVersion.objects.create(**columns)
    record_event(
        action=EngineAction.FRAUD_MODEL_TRAINED,
        actor=actor,
        object_type="fraud_model",
        object_id=version.id,
        now=now,
        after={"version": version.version, "state": version.state, "refusals": version.refusals},
    )
    return version


@transaction.atomic(durable=True)
def activate_fraud_model(*, actor: Principal, number: int, now: datetime) -> FraudModelVersion:
    """Let a model that passed the gate score claims from now on; the one before it retires.

    Raises FraudModelNotFound, FraudModelRefused, FraudModelNotWaiting, PermissionRefused.
    """
    require_administrator(actor)
    locked = FraudModelVersion.objects.select_for_update().defer("document")
    rows: dict[int, FraudModelVersion] = {row.number: row for row in locked}
    if number not in rows:
        raise FraudModelNotFound
    version = rows[number]
    if not version.passed:
        raise FraudModelRefused(extra={"refusals": version.refusals})
    if version.state == FraudModelState.ACTIVE:
        raise FraudModelNotWaiting
    before = _retire(rows.values())
    FraudModelVersion.objects.filter(id=version.id).update(state=FraudModelState.ACTIVE, activated_at=now)
    version.refresh_from_db(fields=["state", "activated_at"])
    record_event(
        action=EngineAction.FRAUD_MODEL_ACTIVATED,
        actor=actor,
        object_type="fraud_model",
        object_id=version.id,
        now=now,
        before={"active": before},
        after={"active": version.version},
    )
    return version


@transaction.atomic(durable=True)
def retire_fraud_model(*, actor: Principal, now: datetime) -> None:
    """Take the active model out of use; the scorecard stands alone again.

    Raises FraudModelNotFound, PermissionRefused.
    """
    require_administrator(actor)
    active = (
        FraudModelVersion.objects.select_for_update().defer("document").filter(state=FraudModelState.ACTIVE).first()
    )
    if active is None:
        raise FraudModelNotFound("No fraud model is active.")
    _retire([active])
    record_event(
        action=EngineAction.FRAUD_MODEL_RETIRED,
        actor=actor,
        object_type="fraud_model",
        object_id=active.id,
        now=now,
        before={"active": active.version},
        after={"active": None},
    )


def _retire(rows: Iterable[FraudModelVersion]) -> str | None:
    active = next((row for row in rows if row.state == FraudModelState.ACTIVE), None)
    if active is None:
        return None
    FraudModelVersion.objects.filter(id=active.id).update(state=FraudModelState.RETIRED)
    return str(active)


def require_administrator(actor: Principal) -> None:
    """The command line acts as the system; everyone else needs the right."""
    if actor.kind != ActorType.SYSTEM:
        require_scope(actor, Scope.ADMIN)
