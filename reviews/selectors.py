"""Reads of the review desk: the history of a claim, its decisions, the figures of the summary."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, Q, QuerySet

from aiassist.types import Outcome
from claims.models import Assessment, Claim
from observability.ids import first_id_at
from observability.service_level import current_standing
from reviews.choices import DecisionKind
from reviews.models import Decision
from reviews.queue import queue_counts
from tenancy.models import AuditEvent
from tenancy.policy import tenant_policy
from tenancy.scope import current_tenant_id
from tenancy.trail.proofs import SealedBy, states_of, with_places

PROCESSED_WINDOW = timedelta(hours=24)
# A month: long enough that a small desk has figures, short enough that they tell of the present.
RATES_WINDOW = timedelta(days=30)
# An id is made up to a clock's error before or after the time that its row names.
_CLOCK_SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class HistoryItem:
    """One event of a claim as the trail holds it; place and hashes are None while it awaits its seal."""

    id: UUID
    seq: int | None
    event: str
    actor_type: str
    actor_id: str
    actor_name: str
    at: datetime
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str
    request_id: str
    hash: str | None
    previous_hash: str | None
    sealed: SealedBy


def history_events(*, claim_id: UUID) -> QuerySet[AuditEvent]:
    """Return the audit events of the claim, oldest first, with their places."""
    events = AuditEvent.objects.filter(object_type="claim", object_id=str(claim_id)).order_by("id")
    return with_places(events)


def history_items(events: Sequence[AuditEvent]) -> list[HistoryItem]:
    """Return the events as history, each with the state of its verification."""
    return [_history_item(event, sealed) for event, sealed in zip(events, states_of(events), strict=True)]


def _history_item(event: AuditEvent, sealed: SealedBy) -> HistoryItem:
    place = event.place_or_none
    return HistoryItem(
        id=event.id,
        seq=place.seq if place else None,
        event=event.event,
        actor_type=event.actor_type,
        actor_id=event.actor_id,
        actor_name=event.actor_name,
        at=event.at,
        before=json.loads(event.before),
        after=json.loads(event.after),
        reason=event.reason,
        request_id=event.request_id,
        hash=place.hash if place else None,
        previous_hash=place.previous_hash if place else None,
        sealed=sealed,
    )


def history_of(*, claim_id: UUID) -> list[HistoryItem]:
    """Return everything that happened to the claim, oldest first; the caller has checked that it may be seen."""
    return history_items(list(history_events(claim_id=claim_id)))


def decisions_of(claim: Claim) -> list[Decision]:
    """Return what people decided on the claim, newest first, with the person loaded."""
    return list(Decision.objects.filter(claim_id=claim.id).select_related("decided_by").order_by("-claim_version"))


def review_summary(*, now: datetime) -> dict[str, Any]:
    """Return the figures of the tenant in scope; None where there is nothing to measure.

    `claims_processed_24h` counts claims with an assessment of the last 24 hours. Rates and means look at 30 days:
    shares of all decisions (requests for information included), of the AI's assessments, seconds from take to decision.
    """
    tenant_id = current_tenant_id()
    return {
        "claims_processed_24h": _assessed_since(now - PROCESSED_WINDOW).values("claim_id").distinct().count(),
        "queue_depth": queue_counts(tenant_id=tenant_id, now=now),
        **_decision_figures(now - RATES_WINDOW),
        **_opinion_figures(now - RATES_WINDOW, fraud_threshold=tenant_policy(tenant_id).fraud_urgent_threshold),
    }


def _assessed_since(start: datetime) -> QuerySet[Assessment]:
    # Ids sort by time, so the primary key's index finds the window.
    found: QuerySet[Assessment] = Assessment.objects.filter(
        id__gte=first_id_at(start - _CLOCK_SLACK), created_at__gte=start
    )
    return found


def _decision_figures(start: datetime) -> dict[str, float | None]:
    overridden = ~Q(severity_override="") | Q(fault_override_pct__isnull=False) | Q(fraud_override__isnull=False)
    sums = Decision.objects.filter(decided_at__gte=start).aggregate(
        all=Count("id"),
        approved=Count("id", filter=Q(decision=DecisionKind.APPROVE)),
        rejected=Count("id", filter=Q(decision=DecisionKind.REJECT)),
        overridden=Count("id", filter=overridden),
        seconds=Avg("review_seconds"),
    )
    return {
        "approval_rate": _share(sums["approved"], sums["all"]),
        "rejection_rate": _share(sums["rejected"], sums["all"]),
        "override_rate": _share(sums["overridden"], sums["all"]),
        "mean_review_seconds": sums["seconds"],
    }


def _opinion_figures(start: datetime, *, fraud_threshold: float) -> dict[str, float | str | None]:
    since = _assessed_since(start)
    sums = since.aggregate(
        all=Count("id"),
        flagged=Count("id", filter=Q(fraud_risk_score__gte=fraud_threshold)),
        confidence=Avg("confidence", filter=Q(outcome=Outcome.ASSESSED)),
    )
    return {
        "mean_ai_confidence": sums["confidence"],
        "fraud_flag_rate": _share(sums["flagged"], sums["all"]),
        "service_level": current_standing().level.value,
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
