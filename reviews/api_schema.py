"""What the OpenAPI document says of the review desk: bodies, examples and the refusals to expect."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from reviews.serializers import (
    DecisionAnswer,
    HistoryItemAnswer,
    LeaseAnswer,
    LeaseToken,
    QueueItemAnswer,
    QueueQuery,
    ReviewDecision,
    SummaryAnswer,
)
from tenancy.openapi import listed

_CLAIM, _ASSESSMENT = "01920b6e-5f0c-7a51-9d4e-0d5b8c1c7e11", "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22"
_LEASE, _DECISION, _ADA = (
    "5f0f1a52-8f0a-4f43-9a55-0f6f2c9b7d33",
    "01920b7a-11aa-7d1f-9a3e-7c4d5e6f7a44",
    "01920b60-0000-7000-8000-000000000055",
)
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The claim's ETag; another version is 412."
)
_LEASE_VALUE = {
    "claim_id": _CLAIM,
    "assessment_id": _ASSESSMENT,
    "lease_token": _LEASE,
    "lease_expires_at": "2026-03-02T09:30:00Z",
}
_LEASE_EXAMPLE = OpenApiExample("Held for 15 minutes", value=_LEASE_VALUE, response_only=True)
_TOKEN_EXAMPLE = OpenApiExample("The token that came with it", value={"lease_token": _LEASE}, request_only=True)


def refused(code: str, detail: str, status: int, **extra: str) -> OpenApiExample:
    value = {**extra, "type": f"urn:claimwright:problem:{code}", "status": status, "detail": detail, "code": code}
    return OpenApiExample(code, value=value, status_codes=[str(status)], response_only=True)


def _problem(description: str, *examples: OpenApiExample) -> OpenApiResponse:
    return OpenApiResponse(OpenApiTypes.OBJECT, description, list(examples))


_NOT_FOUND = _problem("No such claim in this tenant.", refused("not_found", "There is no such claim.", 404))
_HELD = refused("lease_held", "Another reviewer is working on this claim.", 409, holder="Sam")
_LOST = refused("lease_lost", "Your hold on this claim has lapsed.", 409)
_LATE = refused("already_decided", "Someone else has decided this claim.", 409, decision_id=_DECISION)
_STALE = refused("stale_assessment", "There is a newer assessment than the one you saw.", 409)
_OWN = refused("own_claim", "You submitted this claim, so another person must decide it.", 403)
_FREE = refused("not_reviewable", "This claim is not waiting for a review.", 409)
_MANY = refused("too_many_leases", "You hold as many claims as one person may hold at a time.", 409)

_QUEUE_VALUE = {
    "items": [
        {
            "claim_id": _CLAIM,
            "claim_number": "CLM-2026-001234",
            "review_priority": "URGENT",
            "severity": "HIGH",
            "confidence": 0.82,
            "prediction_set": ["MEDIUM", "HIGH"],
            "fault_ratio": 30.0,
            "fraud_risk_score": 0.12,
            "review_due_at": "2026-03-02T12:00:00Z",
            "waiting_seconds": 5400,
            "lease": {"holder": {"id": _ADA, "name": "Ada"}, "mine": False, "expires_at": "2026-03-02T09:30:00Z"},
            "reasons": [{"code": "set_contains_high", "points": 50, "detail": "HIGH is possible."}],
            "own": False,
        }
    ],
    "next_cursor": None,
    "counts": {"URGENT": 1, "STANDARD": 0, "LOW_PRIORITY": 0},
}
_DECISION_REQUEST = {
    "decision": "APPROVE",
    "reasoning": "Rear-end impact at walking speed, the other car rolled back.",
    "assessment_id": _ASSESSMENT,
    "lease_token": _LEASE,
    "severity_override": "LOW",
    "fault_ratio_override": 20.0,
    "fraud_override": False,
    "override_reason": "The bumper is unharmed at 4.9 s.",
}
_DECISION_VALUE = {
    "id": _DECISION,
    "claim_id": _CLAIM,
    "decision": "APPROVE",
    "claim_status": "APPROVED",
    "decided_by": {"id": _ADA, "name": "Ada"},
    "decided_at": "2026-03-02T09:20:00Z",
    "overrides": {"severity": {"ai": "HIGH", "human": "LOW"}, "fault_ratio": {"ai": 30.0, "human": 20.0}},
    "needs_second_review": False,
}
_HISTORY_VALUE = {
    "items": [
        {
            "id": "01920b7a-11ab-7e00-8000-000000000066",
            "seq": 42,
            "event": "review.decided",
            "actor": {"type": "HUMAN", "id": _ADA, "name": "Ada"},
            "at": "2026-03-02T09:20:00Z",
            "before": {"status": "AWAITING_REVIEW"},
            "after": {"status": "APPROVED", "decision": "APPROVE", "decision_id": _DECISION},
            "reason": "Rear-end impact at walking speed, the other car rolled back.",
            "request_id": "req-1",
            "hash": _HASH,
            "previous_hash": "0" * 64,
            "state": "VERIFIED",
            "seal": 17,
        }
    ],
    "next_cursor": None,
}
_SUMMARY_VALUE = {
    "claims_processed_24h": 118,
    "queue_depth": {"URGENT": 3, "STANDARD": 41, "LOW_PRIORITY": 12},
    "approval_rate": 0.71,
    "rejection_rate": 0.17,
    "override_rate": 0.22,
    "mean_review_seconds": 231.5,
    "mean_ai_confidence": 0.74,
    "fraud_flag_rate": 0.05,
    "service_level": "FULL",
}


def _ok(body: Any, value: dict[str, Any], description: str) -> OpenApiResponse:
    return OpenApiResponse(body, description, [OpenApiExample("Example", value=value, response_only=True)])


_COUNTS = serializers.DictField(child=serializers.IntegerField(), help_text="Open claims by class, at most 5 s old.")

QUEUE: dict[str, Any] = {
    "operation_id": "review_queue",
    "tags": ["Reviews"],
    "summary": "The queue: URGENT, STANDARD, LOW_PRIORITY, then due first",
    "description": "A claim that waits past the bound of its class moves up by one; the reason is `waiting_bound`.",
    "parameters": [QueueQuery],
    "responses": {200: _ok(listed(QueueItemAnswer, counts=_COUNTS), _QUEUE_VALUE, "A page of the queue.")},
}
NEXT: dict[str, Any] = {
    "operation_id": "review_take_next",
    "tags": ["Reviews"],
    "summary": "Take the first claim that nobody holds and the caller did not submit",
    "description": "One statement finds and locks it, so that nobody else gets the same claim.",
    "request": None,
    "responses": {
        200: OpenApiResponse(LeaseAnswer, "Held for 15 minutes.", [_LEASE_EXAMPLE]),
        204: OpenApiResponse(description="Nothing is waiting."),
        409: _problem("A person holds at most 100 claims.", _MANY),
    },
}
TAKE: dict[str, Any] = {
    "operation_id": "review_lease_take",
    "tags": ["Reviews"],
    "summary": "Hold a claim; again to extend one's own hold",
    "description": "A free or lapsed claim gets a new token; the token fences out whoever held it before.",
    "request": None,
    "responses": {
        200: OpenApiResponse(LeaseAnswer, "Held for 15 minutes.", [_LEASE_EXAMPLE]),
        403: _problem("The caller's own claim.", _OWN),
        404: _NOT_FOUND,
        409: _problem("Somebody else works on it, or it is not waiting.", _HELD, _FREE, _MANY),
    },
}
RENEW: dict[str, Any] = {
    "operation_id": "review_lease_renew",
    "tags": ["Reviews"],
    "summary": "Extend a hold by 15 minutes from now",
    "description": "Works after it lapsed too, as long as nobody took the claim over.",
    "request": LeaseToken,
    "examples": [_TOKEN_EXAMPLE],
    "responses": {
        200: OpenApiResponse(LeaseAnswer, "Held on.", [_LEASE_EXAMPLE]),
        404: _NOT_FOUND,
        409: _problem("Taken over, released or decided.", _LOST),
    },
}
RELEASE: dict[str, Any] = {
    "operation_id": "review_lease_release",
    "tags": ["Reviews"],
    "summary": "Give the claim back to the queue",
    "description": "The claim is free at once.",
    "request": LeaseToken,
    "examples": [_TOKEN_EXAMPLE],
    "responses": {
        204: OpenApiResponse(description="Free again."),
        404: _NOT_FOUND,
        409: _problem("It was not the caller's (any more).", _LOST),
    },
}
DECIDE: dict[str, Any] = {
    "operation_id": "review_decide",
    "tags": ["Reviews"],
    "summary": "Decide a claim, bound to the assessment that was seen",
    "description": "A value that equals the AI's is agreement, not an override. All or nothing: a refusal writes "
    "nothing but, for `stale_assessment`, its own entry in the history.",
    "parameters": [_IF_MATCH],
    "request": ReviewDecision,
    "examples": [OpenApiExample("With overrides", value=_DECISION_REQUEST, request_only=True)],
    "responses": {
        201: _ok(DecisionAnswer, _DECISION_VALUE, "Decided."),
        403: _problem("The role, or the caller's own claim.", _OWN),
        404: _NOT_FOUND,
        409: _problem("Somebody was faster, or something is newer.", _LATE, _STALE, _HELD, _LOST, _FREE),
        412: _problem(
            "If-Match names another version.", refused("stale", "The object was changed since you read it.", 412)
        ),
    },
}
HISTORY: dict[str, Any] = {
    "operation_id": "review_history",
    "tags": ["Reviews"],
    "summary": "What happened to a claim, oldest first, as the hash chain holds it",
    "description": "For reviewers and auditors. `hash` covers the event and `previous_hash` along the tenant's trail; "
    "`state` tells whether the event was found, unchanged, under the newest seal.",
    "responses": {200: _ok(listed(HistoryItemAnswer), _HISTORY_VALUE, "A page of the history."), 404: _NOT_FOUND},
}
SUMMARY: dict[str, Any] = {
    "operation_id": "metrics_summary",
    "tags": ["Reviews"],
    "summary": "How the desk is doing",
    "description": "`claims_processed_24h` looks at 24 hours, rates and means at 30 days; null where there is nothing "
    "to measure.",
    "responses": {200: _ok(SummaryAnswer, _SUMMARY_VALUE, "The figures.")},
}
