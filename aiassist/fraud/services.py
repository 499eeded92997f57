"""Writes of a tenant's fraud models: trained, activated, retired, each with its audit event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from aiassist.choices import EngineAction, FraudModelState
from aiassist.fraud.card import card_text
from aiassist.fraud.errors import FraudModelNotFound, FraudModelNotWaiting, FraudModelRefused
from aiassist.fraud.gate import history_refusals, refusals
from aiassist.fraud.table import CaseTable
from aiassist.fraud.training import TooLittleHistory, train_fraud_model
from aiassist.models import FraudModelVersion
from tenancy.audit import record_event
from tenancy.choices import ActorType, Scope
from tenancy.permissions import require_scope
from tenancy.principals import Principal

# The later part, on which the model is tested once, is what was decided last.
EARLIER_SHARE = 0.7


def train_from_history(
    *, actor: Principal, history: CaseTable, notes: Sequence[str], now: datetime
) -> FraudModelVersion:
    """Train a model from the tenant's decided cases and keep it with its card, as candidate or as refused.

    Raises TooLittleHistory before anything is trained. The training itself runs outside any transaction.
    """
    _require_administrator(actor)
    edge = history.position_after(EARLIER_SHARE) if len(history) else 0
    earlier, later = history.part(0, edge), history.part(edge, len(history))
    lacking = history_refusals(earlier, later)
    if lacking:
        raise TooLittleHistory(" ".join(refusal.detail for refusal in lacking))
    number = (FraudModelVersion.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    trained = train_fraud_model(earlier, later, version=f"fraud-{number}")
    refused = refusals(trained)
    card = card_text(
        trained,
        source="this tenant's own decided claims; the label is whether the deciding person suspected fraud.",
        split=f"in time, at the first {EARLIER_SHARE:.0%} of the decisions.",
        notes=notes,
        refused=refused,
    )
    columns = {
        "number": number,
        "state": FraudModelState.REFUSED if refused else FraudModelState.CANDIDATE,
        "document": trained.model.document(),
        "card": card,
        "passed": not refused,
        "refusals": [asdict(refusal) for refusal in refused],
        "trained_at": now,
    }
    return _store(actor=actor, columns=columns, now=now)


@transaction.atomic(durable=True)
def _store(*, actor: Principal, columns: dict[str, Any], now: datetime) -> FraudModelVersion:
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
    _require_administrator(actor)
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
    _require_administrator(actor)
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


def _require_administrator(actor: Principal) -> None:
    """The command line acts as the system; everyone else needs the right."""
    if actor.kind != ActorType.SYSTEM:
        require_scope(actor, Scope.ADMIN)
