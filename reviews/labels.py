"""A second, blind label on a random share of decided claims: drawn at the decision, given by another person.

Reviewed claims alone are a biased sample of the AI's mistakes; only cases drawn at random, whatever anybody thought of
them, say how often the AI's set of severities really holds the truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from aiassist.types import EvidenceStage, Severity
from claims.auditing import is_auditable, record_audited_label
from claims.models import Evidence
from claims.visibility import visible_claims
from reviews.choices import DecisionKind, LabelState, ReviewAction
from reviews.errors import AlreadyLabelled, LabelNotFound, NotBlind
from reviews.models import BlindLabel, Decision
from tenancy.audit import record_event
from tenancy.choices import Scope
from tenancy.permissions import require_scope
from tenancy.policy import tenant_policy
from tenancy.principals import Principal
from tenancy.scope import current_tenant_id

_DRAW = b"claimwright-blind-label-1:"
_FINAL = frozenset({DecisionKind.APPROVE, DecisionKind.REJECT})
# Where something was measured in the pictures or the sound. Signs of manipulation would tell of the AI's suspicion.
_PLACES = (EvidenceStage.MOTION, EvidenceStage.AUDIO, EvidenceStage.PROXIMITY, EvidenceStage.TELEMETRY)


@dataclass(frozen=True)
class Place:
    """A time range of the video at which something was measured; not what."""

    start_seconds: float
    end_seconds: float


def draw_number(decision_id: UUID) -> float:
    """Return the number (0 to below 1) of a decision's draw: anyone can compute it again, nobody can choose it."""
    digest = hashlib.sha256(_DRAW + decision_id.bytes).digest()
    return int.from_bytes(digest[:8]) / 2**64


def draw_for_label(*, decision: Decision, now: datetime) -> BlindLabel | None:
    """Draw the decided claim for a blind label with the tenant's share, inside the decision's transaction.

    The share is kept with the row as its inclusion probability. An assessment is drawn once at most.
    """
    if decision.decision not in _FINAL or not is_auditable(decision.assessment):
        return None
    share = tenant_policy(current_tenant_id()).blind_label_share
    known = BlindLabel.objects.filter(assessment_id=decision.assessment_id)
    if draw_number(decision.id) >= share or known.exists():
        return None
    drawn: BlindLabel = BlindLabel.objects.create(
        claim_id=decision.claim_id,
        assessment_id=decision.assessment_id,
        decision=decision,
        inclusion_probability=share,
        drawn_at=now,
    )
    return drawn


def labels_waiting_for(actor: Principal) -> QuerySet[BlindLabel]:
    """Return what this person may label, oldest first: not their own claim, and none that they have decided."""
    decided = Decision.objects.filter(claim_id=OuterRef("claim_id"), decided_by_id=actor.user_id)
    waiting = BlindLabel.objects.filter(state=LabelState.WAITING).exclude(claim__submitted_by_id=actor.user_id)
    visible = visible_claims(actor, claim="claim")
    there = Q(claim__media_removed_at__isnull=True)  # a film to look at
    return waiting.filter(visible, there, ~Exists(decided)).select_related("claim__video").order_by("drawn_at", "id")


def places_of(label: BlindLabel) -> list[Place]:
    """Return the time ranges with evidence, in order, overlapping ones joined so that their number tells nothing."""
    rows = Evidence.objects.filter(assessment_id=label.assessment_id, stage__in=_PLACES)
    return joined_places(rows.order_by("start_seconds").values_list("start_seconds", "end_seconds"))


def joined_places(ranges: Sequence[tuple[float, float]] | QuerySet[Evidence, tuple[float, float]]) -> list[Place]:
    """Return ranges, sorted by start, with those that touch made one."""
    places: list[Place] = []
    for start, end in ranges:
        if places and start <= places[-1].end_seconds:
            places[-1] = Place(places[-1].start_seconds, max(end, places[-1].end_seconds))
        else:
            places.append(Place(start, end))
    return places


@transaction.atomic(durable=True)
def give_label(*, label_id: UUID, actor: Principal, severity: Severity | None, now: datetime) -> BlindLabel:
    """Record the person's own severity (None: it cannot be told from the video), once.

    Writes BlindLabel, CalibrationCase, AuditEvent. Raises PermissionRefused, LabelNotFound, NotBlind, AlreadyLabelled.
    """
    require_scope(actor, Scope.REVIEW)
    rows = BlindLabel.objects.select_for_update(of=("self",)).select_related("assessment", "claim")
    label: BlindLabel | None = rows.filter(visible_claims(actor, claim="claim"), id=label_id).first()
    if label is None:
        raise LabelNotFound
    _refuse_involved(label, actor)
    if label.state != LabelState.WAITING:
        raise AlreadyLabelled
    label.state = LabelState.CANNOT_TELL if severity is None else LabelState.LABELLED
    label.severity = severity or ""
    label.labelled_by_id, label.labelled_at = actor.user_id, now
    label.save(update_fields=["state", "severity", "labelled_by", "labelled_at"])
    record_audited_label(
        assessment=label.assessment,
        true_label=severity,
        inclusion_probability=label.inclusion_probability,
        drawn_at=label.drawn_at,
        now=now,
    )
    # Not an event of the claim: its history is where other reviewers would read the label.
    record_event(
        action=ReviewAction.LABEL_GIVEN,
        actor=actor,
        object_type="blind_label",
        object_id=label.id,
        now=now,
        after={"state": label.state, "severity": label.severity, "assessment_id": label.assessment_id},
    )
    return label


def _refuse_involved(label: BlindLabel, actor: Principal) -> None:
    decided = Decision.objects.filter(claim_id=label.claim_id, decided_by_id=actor.user_id)
    if label.claim.submitted_by_id == actor.user_id or decided.exists():
        raise NotBlind
