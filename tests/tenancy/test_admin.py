"""The operator's site, opened as the operator, a superuser, Acme's administrator, a reviewer and a stranger."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from observability.models import Job
from tenancy.audit import TenancyAction, record_event
from tenancy.audit_verification import verify_audit
from tenancy.models import ApiKey, AuditEvent, Membership, Tenant, User
from tenancy.scope import tenant_scope
from tests.people import PASSWORD, Person, make_key

INDEX = "/admin/"


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user("olga", password=PASSWORD, is_operator=True)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_user("root", password=PASSWORD, is_superuser=True)


@pytest.fixture
def rows(adam: Person, zoe: Person) -> dict[str, Any]:
    """One row of each kind, the event with words that no operator may read."""
    make_key(adam)
    now = timezone.now()
    with tenant_scope(adam.tenant.id):
        event = record_event(
            action=TenancyAction.TENANT_CHANGED,
            actor=adam.principal,
            object_type="tenant",
            object_id=adam.tenant.id,
            now=now,
            after={"word": "secret-of-acme"},
            reason="reason-of-acme",
        )
    job = Job.objects.create(
        kind="x", tenant_ref=str(adam.tenant.id), max_attempts=1, run_after=now, next_publish_at=now, created_at=now
    )
    return {
        "tenant": adam.tenant,
        "user": adam.user,
        "membership": Membership.objects.get(user=adam.user),
        "apikey": ApiKey.objects.get(),
        "auditevent": event,
        "job": job,
    }


OPERATORS = {
    "webhookendpoint",
    "webhookdelivery",
    "tenant",
    "user",
    "membership",
    "apikey",
    "auditevent",
    "quotacounter",
    "budget",
    "budgetalert",
    "spendanomaly",
    "spendcounter",
    "auditseal",
    "job",
    "deadletter",
    "workerheartbeat",
    "circuitbreaker",
    "incident",
    "escalationlevel",
    "alert",
}


def lists() -> dict[str, str]:
    return {
        model._meta.model_name or "": reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    }


def test_the_operator_opens_every_list_that_is_the_operators_and_no_other(olga: User, rows: dict[str, Any]) -> None:
    browser = signed_in(olga)
    assert browser.get(INDEX).status_code == 200
    for name, path in lists().items():
        allowed = name in OPERATORS or name == "timerwindow"
        assert browser.get(path).status_code == (200 if allowed else 403), name


def test_a_superuser_opens_every_list(root: User, rows: dict[str, Any]) -> None:
    browser = signed_in(root)
    for name, path in lists().items():
        assert browser.get(path).status_code == 200, name


@pytest.mark.parametrize("kind", ["tenant", "user", "membership", "apikey", "auditevent", "job"])
def test_the_operator_opens_every_row_and_its_history(olga: User, rows: dict[str, Any], kind: str) -> None:
    browser, row = signed_in(olga), rows[kind]
    place = f"admin:{row._meta.app_label}_{kind}"
    assert browser.get(reverse(f"{place}_change", args=[row.pk])).status_code == 200
    assert browser.get(reverse(f"{place}_history", args=[row.pk])).status_code == 200


def test_the_operator_sees_that_something_happened_and_not_what(olga: User, root: User, rows: dict[str, Any]) -> None:
    event = rows["auditevent"]
    row = reverse("admin:tenancy_auditevent_change", args=[event.pk])
    path = reverse("admin:tenancy_auditevent_changelist")
    for page in (path, row):
        text = signed_in(olga).get(page).content.decode()
        assert "tenant.changed" in text
        assert "secret-of-acme" not in text and "reason-of-acme" not in text
    assert "secret-of-acme" in signed_in(root).get(row).content.decode()


def test_no_page_shows_a_hash_of_a_key_or_a_password(olga: User, rows: dict[str, Any]) -> None:
    browser = signed_in(olga)
    key = browser.get(reverse("admin:tenancy_apikey_change", args=[rows["apikey"].pk])).content.decode()
    assert rows["apikey"].prefix in key and rows["apikey"].secret_sha256 not in key
    person = browser.get(reverse("admin:tenancy_user_change", args=[rows["user"].pk])).content.decode()
    assert "md5" not in person and "password" not in person.lower()


def test_a_stranger_is_sent_to_the_one_sign_in_page(client: Client, db: None) -> None:
    for path in (INDEX, *lists().values()):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/sign-in"), path
    assert client.post("/admin/login/", {"username": "olga", "password": PASSWORD}).status_code == 302
    assert "_auth_user_id" not in client.session


def test_leaving_the_site_is_leaving_everything(olga: User) -> None:
    browser = signed_in(olga)
    assert browser.post("/admin/logout/").headers["Location"] == "/sign-in/"
    assert browser.get(INDEX, follow=True).redirect_chain[-1][0].startswith("/sign-in/")


def test_nobody_else_gets_in(adam: Person, ada: Person, rows: dict[str, Any]) -> None:
    User.objects.update(is_staff=True)  # Django's own flag opens nothing here
    for person in (adam, ada):
        browser = person.browser()
        for path in (INDEX, *lists().values()):
            answer = browser.get(path, follow=True)
            assert answer.status_code == 403, path


def test_history_is_read_only_for_superusers_too(root: User, rows: dict[str, Any]) -> None:
    browser, event = signed_in(root), rows["auditevent"]
    path = reverse("admin:tenancy_auditevent_change", args=[event.pk])
    assert browser.post(path, {"reason": "never"}).status_code == 403
    assert browser.post(reverse("admin:tenancy_auditevent_delete", args=[event.pk]), {"post": "yes"}).status_code == 403
    assert browser.get(reverse("admin:tenancy_auditevent_add")).status_code == 403
    delete = {"action": "delete_selected", "_selected_action": [str(event.pk)], "post": "yes"}
    browser.post(reverse("admin:tenancy_auditevent_changelist"), delete)
    with tenant_scope(event.tenant_id):
        assert AuditEvent.objects.get().reason == "reason-of-acme"


def events(tenant: Tenant) -> list[tuple[str, str]]:
    with tenant_scope(tenant.id):
        return list(AuditEvent.objects.order_by("id").values_list("event", "actor_name"))


@pytest.mark.django_db(transaction=True)
def test_the_operator_opens_a_tenant_with_people_and_its_trail_tells(olga: User) -> None:
    browser = signed_in(olga)
    made = browser.post("/admin/tenancy/tenant/add/", {"slug": "cirrus", "name": "Cirrus", "tier": "FREE"})
    assert made.status_code == 302, made.content
    tenant = Tenant.objects.get()
    person = {"username": "cora", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert browser.post("/admin/tenancy/user/add/", person).status_code == 302
    cora = User.objects.get(username="cora")
    member = {"user": cora.pk, "tenant": tenant.pk, "role": "ADMIN"}
    assert browser.post("/admin/tenancy/membership/add/", member).status_code == 302
    row = Membership.objects.get()
    path = f"/admin/tenancy/membership/{row.pk}"
    assert browser.post(f"{path}/change/", {"role": "AUDITOR"}).status_code == 302
    assert browser.get(f"{path}/delete/").status_code == 200
    assert browser.post(f"{path}/delete/", {"post": "yes"}).status_code == 302
    standing = {"tier": "BASIC", "status": "SUSPENDED"}
    assert browser.post(f"/admin/tenancy/tenant/{tenant.pk}/change/", standing).status_code == 302
    tenant.refresh_from_db()
    assert (tenant.tier, tenant.status, Membership.objects.count()) == ("BASIC", "SUSPENDED", 0)
    kinds = ["tenant.created", "member.added", "member.changed", "member.removed", "tenant.changed"]
    assert events(tenant) == [(kind, "olga") for kind in kinds]
    assert verify_audit(tenant).ok


def test_a_bad_tenant_is_refused_with_a_word_at_the_field(olga: User, acme: Tenant) -> None:
    browser = signed_in(olga)
    for slug in ("acme", "Big Letters", "-x"):
        answer = browser.post("/admin/tenancy/tenant/add/", {"slug": slug, "name": "x", "tier": "FREE"})
        assert answer.status_code == 200 and b"errorlist" in answer.content
    assert Tenant.objects.count() == 1


def test_an_operator_becomes_no_member(olga: User, acme: Tenant) -> None:
    body = {"user": olga.pk, "tenant": acme.pk, "role": "ADMIN"}
    assert signed_in(olga).post("/admin/tenancy/membership/add/", body).status_code == 409
    assert not Membership.objects.exists()


def test_the_operator_sets_no_passwords_and_makes_no_operators(olga: User, root: User, ada: Person) -> None:
    browser = signed_in(olga)
    path = f"/admin/tenancy/user/{ada.user.pk}"
    new = {"password1": "another password 1", "password2": "another password 1", "usable_password": "true"}
    assert browser.post(f"{path}/password/", new).status_code == 403
    body = {"username": "ada", "first_name": "Ada", "is_active": "on", "is_operator": "on", "is_superuser": "on"}
    assert browser.post(f"{path}/change/", body).status_code == 302
    assert browser.post(f"{path}/delete/", {"post": "yes"}).status_code == 403
    assert browser.post(f"/admin/tenancy/user/{root.pk}/change/", body).status_code == 403
    stored = User.objects.get(id=ada.user.id)
    assert stored.check_password(PASSWORD) and not (stored.is_operator or stored.is_superuser)


def test_a_superuser_sets_a_password(root: User, ada: Person) -> None:
    new = {"password1": "another password 1", "password2": "another password 1", "usable_password": "true"}
    assert signed_in(root).post(f"/admin/tenancy/user/{ada.user.pk}/password/", new).status_code == 302
    assert User.objects.get(id=ada.user.id).check_password("another password 1")


@pytest.mark.django_db(transaction=True)
def test_the_operator_revokes_a_key(olga: User, adam: Person) -> None:
    api = adam.api()
    key = ApiKey.objects.get()
    body = {"action": "revoke", "_selected_action": [str(key.pk)]}
    assert signed_in(olga).post("/admin/tenancy/apikey/", body).status_code == 302
    assert api.get("/api/v1/tenant").status_code == 401
    assert events(adam.tenant) == [("api_key.revoked", "olga")]


def test_a_person_who_is_deactivated_is_out_at_once(olga: User, ada: Person) -> None:
    page, api = ada.browser(), ada.api()
    body = {"username": "ada", "first_name": "Ada"}
    assert signed_in(olga).post(f"/admin/tenancy/user/{ada.user.pk}/change/", body).status_code == 302
    assert (page.get("/api/v1/tenant").status_code, api.get("/api/v1/tenant").status_code) == (401, 401)
