"""What people said about fraud when they decided: the labels a tenant's own fraud model learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce

from reviews.choices import DecisionKind
from reviews.models import Decision

_FINAL = (DecisionKind.APPROVE, DecisionKind.REJECT)


@dataclass(frozen=True)
class FraudVerdict:
    """A decided claim: whether the person suspected fraud, and what was known when the AI assessed it.

    `differed` says that the person contradicted the AI's side of the question.
    """

    decided_at: datetime
    suspected: bool
    differed: bool
    circumstances: Mapping[str, Any]
    indicators: Sequence[Mapping[str, Any]]


def fraud_verdicts() -> list[FraudVerdict]:
    """Return the newest final decision of every claim of the tenant on which a person said yes or no, oldest first.

    Left out: decisions that say nothing about fraud, and assessments from before circumstances were kept.
    """
    said = Coalesce("fraud_suspected", "fraud_override")
    rows = (
        Decision.objects.filter(decision__in=_FINAL)
        .annotate(said=said, circumstances=F("assessment__fraud_circumstances"))
        .filter(said__isnull=False)
        .exclude(circumstances={})
        .order_by("decided_at", "id")
        .values_list(
            "claim_id", "decided_at", "said", "fraud_override", "circumstances", "assessment__fraud_indicators"
        )
    )
    newest: dict[object, FraudVerdict] = {}
    for claim_id, at, suspected, override, circumstances, indicators in rows.iterator(chunk_size=2_000):
        newest.pop(claim_id, None)  # the later decision takes its own place in the order
        newest[claim_id] = FraudVerdict(at, suspected, override is not None, circumstances, indicators)
    return list(newest.values())
