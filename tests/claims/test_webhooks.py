"""What a tenant's webhook is told while one claim walks through: ids and states, in the commit of each change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from aiassist.types import Severity
from claims.services import assess_claim
from observability.jobs import take_job
from observability.models import Job
from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
from reviews.errors import AlreadyDecided
from reviews.services import decide_claim
from tenancy.models import WebhookEndpoint, WebhookEvent
from tenancy.scope import tenant_scope
from tenancy.webhooks.catalogue import event_types
from tenancy.webhooks.signing import make_secret, seal
from tests.claims.handing_in import hand_in
from tests.claims.opinions import FakeEngine, opinion_of
from tests.files import make_assessed_claim
from tests.people import Person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def webhook(ada: Person) -> None:
    with tenant_scope(ada.tenant.id):
        WebhookEndpoint.objects.create(
            url="https://hooks.example/",
            events=list(event_types()),
            secret_sealed=seal(make_secret()),
            created_at=timezone.now(),
        )


def told(person: Person) -> list[tuple[str, dict[str, Any]]]:
    with tenant_scope(person.tenant.id):
        return [(e.type, json.loads(e.body)["data"]) for e in WebhookEvent.objects.order_by("id")]


def decide(person: Person, claim: Any, kind: DecisionKind) -> None:
    draft = DecisionDraft(decision=kind, reasoning="Ada saw it.", assessment_id=claim.assessment_id)
    with tenant_scope(person.tenant.id):
        decide_claim(claim_id=claim.id, actor=person.principal, draft=draft, now=timezone.now())


@pytest.mark.parametrize(
    ("kind", "event", "status"),
    [
        (DecisionKind.APPROVE, "claim.decided", "APPROVED"),
        (DecisionKind.REJECT, "claim.decided", "REJECTED"),
        (DecisionKind.REQUEST_MORE_INFO, "claim.information_requested", "INFO_REQUESTED"),
    ],
)
def test_a_decision_is_told(ada: Person, cleo: Person, kind: DecisionKind, event: str, status: str) -> None:
    claim = make_assessed_claim(cleo)
    decide(ada, claim, kind)
    [(name, data)] = told(ada)
    assert name == event
    assert data == {"claim_id": str(claim.id), "status": status, "decision": kind, "decision_id": data["decision_id"]}
    assert "Ada" not in str(data)


def assess(person: Person) -> None:
    job = Job.objects.get(kind="claims.assess")
    lease = take_job(job_id=job.id, now=timezone.now())
    assert lease is not None
    with tenant_scope(person.tenant.id):
        assess_claim(lease=lease, engine=FakeEngine(opinion_of(Severity.LOW)))


def test_a_claim_that_comes_in_and_its_opinion_are_told(ada: Person, cleo: Person) -> None:
    answer = hand_in(cleo.api(), description="Ada Lovelace was hit.").json()
    assess(cleo)
    (first, received), (second, assessed) = told(ada)
    assert (first, second) == ("claim.received", "claim.assessed")
    assert received == {"claim_id": answer["id"], "status": "RECEIVED"}
    assert assessed["status"] == "AWAITING_REVIEW" and assessed["outcome"] == "ASSESSED" and assessed["version"] == 1
    assert set(assessed) == {"claim_id", "status", "assessment_id", "version", "outcome"}


def test_a_refused_decision_tells_nothing(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    decide(ada, claim, DecisionKind.APPROVE)
    with pytest.raises(AlreadyDecided):
        decide(ada, claim, DecisionKind.REJECT)
    assert [name for name, _data in told(ada)] == ["claim.decided"]


def test_another_tenant_is_told_nothing(ada: Person, cleo: Person, zoe: Person) -> None:
    decide(ada, make_assessed_claim(cleo), DecisionKind.APPROVE)
    assert told(zoe) == []
