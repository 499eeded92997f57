"""`verify_audit` also sees what was done to a decision behind the program's back."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from aiassist.types import Severity
from reviews import audit_check
from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
from reviews.models import Decision
from reviews.services import decide_claim
from tenancy.audit_verification import ProblemKind, verify_audit
from tenancy.scope import every_tenant, tenant_scope
from tests.files import make_assessed_claim
from tests.people import Person


@pytest.fixture
def decided(ada: Person, cleo: Person) -> Decision:
    return _decide(ada, cleo, "CLM-1")


def _decide(ada: Person, cleo: Person, number: str) -> Decision:
    claim = make_assessed_claim(cleo, number)
    assert claim.assessment_id
    draft = DecisionDraft(
        decision=DecisionKind.APPROVE,
        reasoning="Clear view.",
        assessment_id=claim.assessment_id,
        severity_override=Severity.LOW,
        fault_override_pct=12.5,
        override_reason="Unharmed.",
    )
    with tenant_scope(ada.tenant.id):
        return decide_claim(claim_id=claim.id, actor=ada.principal, draft=draft, now=timezone.now())


def _behind_the_back(sql: str, *values: Any) -> None:
    with every_tenant("tampering, past row-level security"), connection.cursor() as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount == 1


def _key(decision: Decision) -> Any:
    return decision.id.hex if connection.vendor == "sqlite" else decision.id


def test_verify_audit_is_content_with_honest_decisions(ada: Person, decided: Decision) -> None:
    assert verify_audit(ada.tenant).problem is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("decision", "REJECT"),
        ("reasoning", "Never seen."),
        ("severity_override", "HIGH"),
        ("fault_override_pct", 99.0),
        ("fraud_override", True),
        ("override_reason", "Because."),
    ],
)
def test_verify_audit_names_a_decision_that_was_rewritten(
    ada: Person, decided: Decision, column: str, value: Any
) -> None:
    _behind_the_back(f"UPDATE reviews_decision SET {column} = %s WHERE id = %s", value, _key(decided))
    problem = verify_audit(ada.tenant).problem
    assert problem is not None
    assert (problem.kind, str(decided.id) in problem.detail) == (ProblemKind.ALTERED, True)
    assert problem.event_id is not None


def test_verify_audit_names_a_decision_that_was_taken_away(
    ada: Person, cleo: Person, decided: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_check, "_CHUNK", 1)
    _decide(ada, cleo, "CLM-2")
    _behind_the_back("DELETE FROM reviews_decision WHERE id = %s", _key(decided))
    problem = verify_audit(ada.tenant).problem
    assert problem is not None
    assert (problem.kind, str(decided.id) in problem.detail) == (ProblemKind.MISSING, True)


def test_verify_audit_names_a_decision_that_nobody_was_told_of(ada: Person, decided: Decision) -> None:
    with tenant_scope(ada.tenant.id):
        smuggled = Decision.objects.get(id=decided.id)
        smuggled.pk, smuggled.claim_version = None, 9
        smuggled._state.adding = True
        smuggled.save()
    problem = verify_audit(ada.tenant).problem
    assert problem is not None
    assert (problem.kind, "has no event" in problem.detail) == (ProblemKind.MISSING, True)


def test_verify_audit_of_borealis_knows_nothing_of_acmes_decisions(zoe: Person, decided: Decision) -> None:
    assert verify_audit(zoe.tenant).events == 0
    assert verify_audit(zoe.tenant).ok
