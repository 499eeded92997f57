"""What every address of the API does before its own code runs, seen on addresses of no importance."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tenancy.choices import TenantStatus
from tenancy.keys import make_secret
from tenancy.models import ApiKey, Membership, Tenant, User
from tests.people import PASSWORD, Person, make_key

pytestmark = pytest.mark.urls("tests.tenancy.urls")
READ, OPS, THINGS = "/api/v1/read", "/api/v1/ops", "/api/v1/things"


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert set(body) >= {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["X-Request-ID"]
    return answer.status_code, body["code"]


def stranger(**headers: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(**{f"HTTP_{name.upper()}": value for name, value in headers.items()})
    return client


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", [READ, OPS, THINGS])
def test_a_stranger_gets_401_for_every_verb(db: None, method: str, path: str) -> None:
    answer = stranger().generic(method.upper(), path, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "secret",
    ["", "x", "clm_live_" + "a" * 42, "é" * 51, "clm_live_\udcff", make_secret(), make_secret() + "\n0"],
    ids=["empty", "short", "no check sum", "no ASCII", "no text", "nobody's", "another line"],
)
def test_an_unknown_credential_gets_401(db: None, secret: str) -> None:
    client = APIClient(raise_request_exception=False)
    for credential in ({"HTTP_X_API_KEY": secret}, {"HTTP_AUTHORIZATION": f"Bearer {secret}"}):
        client.credentials(**credential)
        assert problem(client.get(READ)) == (401, "invalid_credential")


def test_a_key_works_as_header_and_as_bearer(audrey: Person) -> None:
    secret = make_key(audrey)
    assert stranger(x_api_key=secret).get(READ).json() == {"tenant": str(audrey.tenant.id)}
    assert stranger(authorization=f"Bearer {secret}").get(READ).status_code == 200
    assert stranger(authorization=f"bearer {secret}", x_api_key=secret).get(READ).status_code == 200
    both = stranger(authorization=f"Bearer {make_key(audrey)}", x_api_key=secret)
    assert problem(both.get(READ)) == (401, "invalid_credential")


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_a_revoked_or_expired_key_gets_401_at_once(audrey: Person, change: dict[str, Any]) -> None:
    api = audrey.api()
    assert api.get(READ).status_code == 200
    ApiKey.objects.update(**change)
    assert problem(api.get(READ)) == (401, "invalid_credential")


def test_a_key_dies_with_the_membership_or_the_person(audrey: Person) -> None:
    api = audrey.api()
    User.objects.filter(id=audrey.user.id).update(is_active=False)
    assert problem(api.get(READ)) == (401, "invalid_credential")
    User.objects.filter(id=audrey.user.id).update(is_active=True)
    Membership.objects.filter(user=audrey.user).delete()
    assert problem(api.get(READ)) == (401, "invalid_credential")


@pytest.mark.parametrize("status", [TenantStatus.SUSPENDED, TenantStatus.CLOSED])
def test_a_suspended_tenant_is_refused(audrey: Person, status: str) -> None:
    api, browser = audrey.api(), audrey.browser()
    Tenant.objects.update(status=status)
    assert problem(api.get(READ)) == (403, "tenant_inactive")
    assert problem(browser.get(READ)) == (403, "tenant_inactive")


def test_a_colleague_without_the_right_gets_403(ada: Person, audrey: Person) -> None:
    assert problem(ada.api().get(READ)) == (403, "permission_denied")
    assert problem(audrey.api().get(OPS)) == (403, "permission_denied")
    narrow = stranger(x_api_key=make_key(audrey, scopes=["read", "no such scope"]))
    assert problem(narrow.get(READ)) == (403, "permission_denied")


def test_a_key_has_no_more_than_the_person_behind_it_has_now(audrey: Person) -> None:
    api = audrey.api()
    Membership.objects.update(role="CLIENT")
    assert problem(api.get(READ)) == (403, "permission_denied")


def test_the_operator_works_on_operations_alone(acme: Tenant) -> None:
    olga = User.objects.create_user("olga", password=PASSWORD, is_operator=True)
    Membership.objects.create(tenant=acme, user=olga, role="AUDITOR")
    browser = stranger()
    browser.force_login(olga)
    assert browser.get(OPS).json() == {"ok": True}
    assert problem(browser.get(READ)) == (403, "permission_denied")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_a_verb_that_is_not_there_gets_405(audrey: Person, method: str) -> None:
    answer = audrey.api().generic(method.upper(), READ)
    assert problem(answer) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_options_tells_the_verbs_and_nothing_of_the_code(ada: Person) -> None:
    answer = ada.api().options(READ)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "GET" in answer.headers["Allow"]


def test_head_is_get_without_a_body(audrey: Person) -> None:
    answer = audrey.api().head(READ)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "garbage", "application/json;q=oops, text/html"])
def test_who_takes_no_json_gets_406(audrey: Person, accept: str) -> None:
    answer = audrey.api().get(READ, headers={"Accept": accept})
    assert answer.status_code in (200, 406)
    if answer.status_code == 406:
        assert problem(answer) == (406, "not_acceptable")


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json", "application/problem+json", ""])
def test_who_takes_json_gets_it(audrey: Person, accept: str) -> None:
    assert audrey.api().get(READ, headers={"Accept": accept}).headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data", "x", ""])
def test_a_body_that_is_no_json_gets_415(ada: Person, content_type: str) -> None:
    answer = ada.api().generic("POST", THINGS, "{}", content_type=content_type)
    assert problem(answer) == (415, "unsupported_media_type")


def test_an_answer_is_private_and_varies_by_credential(audrey: Person) -> None:
    for answer in (audrey.api().get(READ), stranger().get(READ)):
        assert answer.headers["Cache-Control"].startswith("private")
        vary = {name.strip() for name in answer.headers["Vary"].split(",")}
        assert vary >= {"Authorization", "Cookie", "X-API-Key", "X-Tenant-ID"}


def test_a_named_tenant_must_be_the_credentials(audrey: Person, zoe: Person) -> None:
    api = audrey.api()
    for name in (audrey.tenant.slug, str(audrey.tenant.id), str(audrey.tenant.id).upper(), f" {audrey.tenant.slug} "):
        assert api.get(READ, headers={"X-Tenant-ID": name}).status_code == 200
    for name in (zoe.tenant.slug, str(zoe.tenant.id), "nobody", "é", "\x00", "' OR 1=1"):
        assert problem(api.get(READ, headers={"X-Tenant-ID": name})) == (403, "tenant_mismatch")


def test_the_host_may_name_the_tenant(audrey: Person, zoe: Person, settings: Any) -> None:
    settings.TENANT_BASE_HOST = "claims.example"
    settings.ALLOWED_HOSTS = ["claims.example", ".claims.example"]
    api = audrey.api()
    for host in ("claims.example", "acme.claims.example", "ACME.claims.example:8000"):
        assert api.get(READ, headers={"Host": host}).status_code == 200
    for host in ("borealis.claims.example", "a.acme.claims.example"):
        assert problem(api.get(READ, headers={"Host": host})) == (403, "tenant_mismatch")
    forwarded = {"Host": "claims.example", "X-Forwarded-Host": "borealis.claims.example"}
    assert api.get(READ, headers=forwarded).status_code == 200


def test_a_person_in_two_tenants_chooses_by_header_else_by_session(audrey: Person, borealis: Tenant) -> None:
    Membership.objects.create(tenant=borealis, user=audrey.user, role="AUDITOR")
    browser = stranger()
    browser.force_login(audrey.user)
    assert browser.get(READ).json()["tenant"] == str(audrey.tenant.id)
    assert browser.get(READ, headers={"X-Tenant-ID": "borealis"}).json()["tenant"] == str(borealis.id)
    session = browser.session
    session["tenant"] = str(borealis.id)
    session.save()
    assert browser.get(READ).json()["tenant"] == str(borealis.id)
    Membership.objects.filter(tenant=borealis).delete()
    assert browser.get(READ).json()["tenant"] == str(audrey.tenant.id)
    assert problem(browser.get(READ, headers={"X-Tenant-ID": "borealis"})) == (403, "tenant_mismatch")


def test_a_browser_needs_the_csrf_token_to_write(ada: Person) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(ada.user)
    assert problem(browser.post(THINGS, {}, format="json")) == (403, "csrf_failed")


def test_a_fault_of_ours_says_nothing_about_itself(ada: Person) -> None:
    answer = ada.api().post(THINGS, {"ending": "crash"}, format="json")
    assert problem(answer) == (500, "internal_error")
    assert b"a fault of ours" not in answer.content


def test_an_unknown_address_is_a_problem_too(ada: Person) -> None:
    assert problem(ada.api().get("/api/v1/nowhere")) == (404, "not_found")
    arabic_one = "/api/v1/things/%D9%A1%D9%A1%D9%A1%D9%A1%D9%A1%D9%A1%D9%A1%D9%A1-0000-0000-0000-000000000000"
    assert problem(ada.api().get(arabic_one)) == (404, "not_found")
