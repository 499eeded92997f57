"""Decisions and holds in the admin: superusers look, nobody writes, the operator sees no tenant's data."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
from reviews.leases import take_lease
from reviews.models import Decision, ReviewLease
from reviews.services import decide_claim
from tenancy.models import User
from tenancy.scope import every_tenant, tenant_scope
from tests.files import make_assessed_claim
from tests.people import PASSWORD, Person

PAGES = ("decision", "reviewlease")


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_user("root", password=PASSWORD, is_superuser=True)


@pytest.fixture
def rows(ada: Person, cleo: Person) -> dict[str, Decision | ReviewLease]:
    decided, held = make_assessed_claim(cleo, "CLM-DECIDED"), make_assessed_claim(cleo, "CLM-HELD")
    assert decided.assessment_id
    draft = DecisionDraft(decision=DecisionKind.APPROVE, reasoning="Clear view.", assessment_id=decided.assessment_id)
    now = timezone.now()
    with tenant_scope(ada.tenant.id):
        return {
            "decision": decide_claim(claim_id=decided.id, actor=ada.principal, draft=draft, now=now),
            "reviewlease": take_lease(claim_id=held.id, actor=ada.principal, now=now),
        }


@pytest.mark.parametrize(("page", "number"), [("decision", "CLM-DECIDED"), ("reviewlease", "CLM-HELD")])
def test_a_superuser_looks_and_cannot_write(
    root: User, rows: dict[str, Decision | ReviewLease], page: str, number: str
) -> None:
    browser, row = signed_in(root), rows[page]
    listed = browser.get(reverse(f"admin:reviews_{page}_changelist"))
    assert listed.status_code == 200 and number in listed.content.decode()
    change = reverse(f"admin:reviews_{page}_change", args=[row.id])
    shown = browser.get(change)
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()
    assert browser.post(change, {"reasoning": "Other."}).status_code == 403
    assert browser.post(reverse(f"admin:reviews_{page}_delete", args=[row.id]), {"post": "yes"}).status_code == 403
    assert browser.get(reverse(f"admin:reviews_{page}_add")).status_code == 403
    with every_tenant("test"):
        assert type(row)._default_manager.filter(id=row.id).exists()


def test_the_token_of_a_hold_is_not_shown(root: User, rows: dict[str, Decision | ReviewLease]) -> None:
    lease = rows["reviewlease"]
    assert isinstance(lease, ReviewLease)
    shown = signed_in(root).get(reverse("admin:reviews_reviewlease_change", args=[lease.id]))
    assert str(lease.token) not in shown.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_neither_the_operator_nor_a_reviewer_sees_them(
    ada: Person, rows: dict[str, Decision | ReviewLease], page: str
) -> None:
    olga = User.objects.create_user("olga", password=PASSWORD, is_operator=True)
    for user in (olga, ada.user):
        for name, arguments in (("changelist", []), ("change", [rows[page].id])):
            answer = signed_in(user).get(reverse(f"admin:reviews_{page}_{name}", args=arguments), follow=True)
            assert answer.status_code == 403, (user, name)
