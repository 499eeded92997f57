"""A tenant's decided history becomes a kept model. Apart from the other writes: only this one needs the learner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.db.models import Max

from aiassist.choices import FraudModelState
from aiassist.fraud.card import card_text
from aiassist.fraud.gate import history_refusals, refusals
from aiassist.fraud.services import require_administrator, store_fraud_model
from aiassist.fraud.table import CaseTable
from aiassist.fraud.training import TooLittleHistory, train_fraud_model
from aiassist.models import FraudModelVersion
from tenancy.principals import Principal

# The later part, on which the model is tested once, is what was decided last.
EARLIER_SHARE = 0.7


def train_from_history(
    *, actor: Principal, history: CaseTable, notes: Sequence[str], now: datetime
) -> FraudModelVersion:
    """Train a model from the tenant's decided cases and keep it with its card, as candidate or as refused.

    Raises TooLittleHistory before anything is trained. The training itself runs outside any transaction.
    """
    require_administrator(actor)
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
    return store_fraud_model(actor=actor, columns=columns, now=now)
