"""Holds decisions against the audit trail: each has its event, each event its decision, and they say the same.

The chain alone proves that events were not changed; a decision row rewritten behind the program's back shows here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from reviews.actions import overrides_data, recorded_overrides
from reviews.choices import ReviewAction
from reviews.models import Decision
from tenancy.audit_verification import AuditProblem, ProblemKind
from tenancy.models import AuditEvent
from tenancy.trail.format import canonical_json

# Rows read at a time; SQLite takes some thousand variables in one statement.
_CHUNK = 500


def decision_problems() -> Iterator[AuditProblem]:
    """Yield what is wrong between the decisions of the tenant in scope and its trail; writes nothing."""
    yield from _decisions_without_event()
    yield from _events_without_decision()


def recorded_details(decision: Decision) -> dict[str, object]:
    """Return what the event of a decision says of it; its assessment is loaded."""
    return {
        "decision": decision.decision,
        "decision_id": decision.id,
        "decided_by": decision.decided_by_id,
        "assessment_id": decision.assessment_id,
        "overrides": overrides_data(recorded_overrides(decision)),
        "override_reason": decision.override_reason,
    }


def _decisions_without_event() -> Iterator[AuditProblem]:
    last: UUID | None = None
    while chunk := _decisions_after(last):
        # Read after the decisions: an event is committed with its decision, so none can be missing meanwhile.
        events = _events_of([str(decision.claim_id) for decision in chunk])
        for decision in chunk:
            problem = _problem_with(decision, events.get(str(decision.id)))
            if problem is not None:
                yield problem
        last = chunk[-1].id


def _decisions_after(last: UUID | None) -> list[Decision]:
    rows = Decision.objects.select_related("assessment").order_by("id")
    return list((rows if last is None else rows.filter(id__gt=last))[:_CHUNK])


def _events_of(claim_ids: list[str]) -> dict[str, AuditEvent]:
    events = AuditEvent.objects.filter(object_type="claim", object_id__in=claim_ids, event=ReviewAction.DECIDED)
    return {str(json.loads(event.after).get("decision_id")): event for event in events}


def _problem_with(decision: Decision, event: AuditEvent | None) -> AuditProblem | None:
    if event is None:
        return AuditProblem(ProblemKind.MISSING, f"Decision {decision.id} has no event.")
    told: dict[str, Any] = json.loads(event.after)
    told.pop("status", None)
    same = (
        canonical_json(told) == canonical_json(recorded_details(decision))
        and event.reason == decision.reasoning
        and event.at == decision.decided_at
        and event.object_id == str(decision.claim_id)
    )
    if same:
        return None
    detail = f"Decision {decision.id} is not what its event says."
    return _about(event, ProblemKind.ALTERED, detail)


def _events_without_decision() -> Iterator[AuditProblem]:
    last: UUID | None = None
    decided = AuditEvent.objects.filter(event=ReviewAction.DECIDED).order_by("id")
    while chunk := list((decided if last is None else decided.filter(id__gt=last))[:_CHUNK]):
        told = {event.id: str(json.loads(event.after).get("decision_id")) for event in chunk}
        there = {str(known) for known in Decision.objects.filter(id__in=told.values()).values_list("id", flat=True)}
        for event in chunk:
            if told[event.id] not in there:
                detail = f"Decision {told[event.id]} of this event is not there."
                yield _about(event, ProblemKind.MISSING, detail)
        last = chunk[-1].id


def _about(event: AuditEvent, kind: ProblemKind, detail: str) -> AuditProblem:
    place = event.place_or_none
    return AuditProblem(kind, detail, place.seq if place else None, str(event.id))
