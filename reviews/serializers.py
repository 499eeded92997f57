"""Bodies of the review API: what comes in, checked field by field, and what goes out, for the schema."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from aiassist.types import Severity
from claims.choices import ClaimStatus, ReviewPriority
from observability.degradation import ServiceLevel
from reviews.actions import MOST_WORDS, DecisionDraft, overrides_data, recorded_overrides
from reviews.choices import DecisionKind
from reviews.models import Decision, ReviewLease
from reviews.selectors import HistoryItem
from tenancy.choices import ActorType
from tenancy.inputs import JSONBoolean, JSONNumber, StrictSerializer, TextField
from tenancy.trail.proofs import EventState

_SEVERITIES = [(label.value, label.value) for label in Severity]


class LeaseToken(StrictSerializer):
    lease_token = serializers.UUIDField()


class QueueQuery(serializers.Serializer[Any]):
    """Filters of the queue."""

    priority = serializers.ChoiceField(
        choices=ReviewPriority.choices, required=False, default=None, help_text="The class a claim stands in now."
    )
    mine = serializers.BooleanField(required=False, default=False, help_text="Only what the caller holds.")
    overdue = serializers.BooleanField(required=False, default=False, help_text="Only what is past its due time.")


class ReviewDecision(StrictSerializer):
    decision = serializers.ChoiceField(choices=DecisionKind.choices)
    reasoning = TextField(max_length=MOST_WORDS)
    assessment_id = serializers.UUIDField(help_text="The assessment the person saw; a newer one refuses the decision.")
    lease_token = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Optional while nobody else holds the claim."
    )
    severity_override = serializers.ChoiceField(choices=_SEVERITIES, required=False, allow_null=True, default=None)
    fault_ratio_override = JSONNumber(
        min_value=0, max_value=100, required=False, allow_null=True, default=None, help_text="Percent."
    )
    fraud_override = JSONBoolean(required=False, allow_null=True, default=None)
    override_reason = TextField(
        max_length=MOST_WORDS,
        required=False,
        allow_blank=True,
        default="",
        help_text="Needed when a value differs from the AI's.",
    )

    def draft(self, *, claim_version: int | None) -> DecisionDraft:
        """Return the checked body as the service takes it."""
        given = self.validated_data
        severity = given["severity_override"]
        return DecisionDraft(
            decision=DecisionKind(given["decision"]),
            reasoning=given["reasoning"],
            assessment_id=given["assessment_id"],
            lease_token=given["lease_token"],
            severity_override=Severity(severity) if severity else None,
            fault_override_pct=given["fault_ratio_override"],
            fraud_override=given["fraud_override"],
            override_reason=given["override_reason"],
            claim_version=claim_version,
        )


class PersonAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class QueueLeaseAnswer(serializers.Serializer[Any]):
    holder = PersonAnswer()
    mine = serializers.BooleanField()
    expires_at = serializers.DateTimeField()


class QueueReason(serializers.Serializer[Any]):
    code = serializers.CharField()
    points = serializers.IntegerField()
    detail = serializers.CharField()


class QueueItemAnswer(serializers.Serializer[Any]):
    claim_id = serializers.UUIDField()
    claim_number = serializers.CharField()
    review_priority = serializers.ChoiceField(choices=ReviewPriority.choices)
    severity = serializers.ChoiceField(choices=_SEVERITIES, allow_null=True)
    confidence = serializers.FloatField()
    prediction_set = serializers.ListField(child=serializers.ChoiceField(choices=_SEVERITIES))
    fault_ratio = serializers.FloatField()
    fraud_risk_score = serializers.FloatField()
    review_due_at = serializers.DateTimeField()
    waiting_seconds = serializers.IntegerField()
    lease = QueueLeaseAnswer(allow_null=True)
    reasons = QueueReason(many=True)
    own = serializers.BooleanField(help_text="Submitted by the caller, who may therefore not decide it.")


class LeaseAnswer(serializers.Serializer[Any]):
    claim_id = serializers.UUIDField()
    assessment_id = serializers.UUIDField()
    lease_token = serializers.UUIDField()
    lease_expires_at = serializers.DateTimeField()


class OverrideAnswer(serializers.Serializer[Any]):
    ai = serializers.JSONField(allow_null=True)
    human = serializers.JSONField()


class DecisionAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    claim_id = serializers.UUIDField()
    decision = serializers.ChoiceField(choices=DecisionKind.choices)
    claim_status = serializers.ChoiceField(choices=ClaimStatus.choices)
    decided_by = PersonAnswer()
    decided_at = serializers.DateTimeField()
    overrides = serializers.DictField(child=OverrideAnswer(), help_text="`severity`, `fault_ratio`, `fraud`.")
    needs_second_review = serializers.BooleanField()


class ActorAnswer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=ActorType.choices)
    id = serializers.CharField()
    name = serializers.CharField()


class HistoryItemAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    seq = serializers.IntegerField(
        allow_null=True, help_text="The event's place in the tenant's trail; null while it awaits its seal."
    )
    event = serializers.CharField()
    actor = ActorAnswer()
    at = serializers.DateTimeField()
    before = serializers.DictField()
    after = serializers.DictField()
    reason = serializers.CharField(allow_blank=True)
    request_id = serializers.CharField(allow_blank=True)
    hash = serializers.CharField(allow_null=True, help_text="Null while it awaits its seal.")
    previous_hash = serializers.CharField(allow_null=True, help_text="Null while it awaits its seal.")
    state = serializers.ChoiceField(
        choices=[(state.value, state.value) for state in EventState],
        help_text="AWAITING_SEAL lasts a moment. PROBLEM: the event is not what was sealed.",
    )
    seal = serializers.IntegerField(allow_null=True, help_text="Number of the first seal that covers the event.")


class SummaryAnswer(serializers.Serializer[Any]):
    claims_processed_24h = serializers.IntegerField()
    queue_depth = serializers.DictField(child=serializers.IntegerField())
    approval_rate = serializers.FloatField(allow_null=True, help_text="Share of the decisions of 30 days.")
    rejection_rate = serializers.FloatField(allow_null=True, help_text="Share of the decisions of 30 days.")
    override_rate = serializers.FloatField(allow_null=True, help_text="Share of the decisions of 30 days.")
    mean_review_seconds = serializers.FloatField(allow_null=True, help_text="From take to decision, 30 days.")
    mean_ai_confidence = serializers.FloatField(allow_null=True, help_text="Assessed claims of 30 days.")
    fraud_flag_rate = serializers.FloatField(allow_null=True, help_text="Share of the assessments of 30 days.")
    service_level = serializers.ChoiceField(choices=ServiceLevel.choices, help_text="Of the platform, now.")


def lease_data(lease: ReviewLease) -> dict[str, Any]:
    return {
        "claim_id": str(lease.claim_id),
        "assessment_id": str(lease.claim.assessment_id),
        "lease_token": str(lease.token),
        "lease_expires_at": lease.expires_at,
    }


def decision_data(decision: Decision) -> dict[str, Any]:
    """Return the decision as the API answers it; the claim and the assessment are loaded."""
    status = ClaimStatus(decision.claim.status)
    return {
        "id": str(decision.id),
        "claim_id": str(decision.claim_id),
        "decision": decision.decision,
        "claim_status": status,
        "decided_by": {"id": str(decision.decided_by_id), "name": str(decision.decided_by)},
        "decided_at": decision.decided_at,
        "overrides": overrides_data(recorded_overrides(decision)),
        "needs_second_review": status == ClaimStatus.AWAITING_REVIEW,
    }


def history_data(item: HistoryItem) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "seq": item.seq,
        "event": item.event,
        "actor": {"type": item.actor_type, "id": item.actor_id, "name": item.actor_name},
        "at": item.at,
        "before": item.before,
        "after": item.after,
        "reason": item.reason,
        "request_id": item.request_id,
        "hash": item.hash,
        "previous_hash": item.previous_hash,
        "state": item.sealed.state,
        "seal": item.sealed.seal,
    }
