"""The claim file on the operator's site: superusers look, nobody writes, the operator sees no tenant's data."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from claims.models import Assessment, Claim, Evidence, Party, Resubmission, VideoFile
from claims.services import assess_claim
from tenancy.models import User
from tenancy.scope import tenant_scope
from tests.claims.handing_in import hand_in, receive
from tests.claims.opinions import FakeEngine, take_only_job
from tests.people import PASSWORD, Person

FILLED = (Assessment, Claim, Evidence, Party, Resubmission, VideoFile)
NAMES = ("assessment", "claim", "coverage", "evidence", "party", "policy", "resubmission", "videofile")


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_user("root", password=PASSWORD, is_superuser=True)


@pytest.fixture
def file(cleo: Person) -> Person:
    hand_in(cleo.api(), claimant='{"name": "Cleo"}')
    receive(cleo, "CLM-AGAIN")
    with tenant_scope(cleo.tenant.id):
        assess_claim(lease=take_only_job(), engine=FakeEngine())
    return cleo


@pytest.mark.parametrize("model", FILLED, ids=lambda model: model._meta.model_name)
def test_a_superuser_looks_and_cannot_write(root: User, file: Person, model: type[Claim]) -> None:
    browser, name = signed_in(root), model._meta.model_name
    assert browser.get(reverse(f"admin:claims_{name}_changelist")).status_code == 200
    with tenant_scope(file.tenant.id):
        row = model.objects.order_by("id")[0]
    change = reverse(f"admin:claims_{name}_change", args=[row.id])
    shown = browser.get(change)
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()
    assert browser.post(change, {"status": "APPROVED"}).status_code == 403
    assert browser.post(reverse(f"admin:claims_{name}_delete", args=[row.id]), {"post": "yes"}).status_code == 403
    assert browser.get(reverse(f"admin:claims_{name}_add")).status_code == 403


@pytest.mark.parametrize("name", NAMES)
def test_the_operator_sees_no_tenants_claims(file: Person, name: str) -> None:
    operator = User.objects.create_user("olga", password=PASSWORD, is_operator=True, is_staff=True)
    assert signed_in(operator).get(reverse(f"admin:claims_{name}_changelist")).status_code == 403


@pytest.mark.parametrize("name", NAMES)
def test_a_members_sign_in_is_no_way_into_the_operators_site(file: Person, adam: Person, name: str) -> None:
    answer = adam.browser().get(reverse(f"admin:claims_{name}_changelist"))
    assert answer.status_code in {302, 403}
