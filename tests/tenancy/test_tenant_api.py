"""The tenant, its tasks and its trail over HTTP."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from observability.choices import JobState
from observability.ids import new_id
from observability.models import Job
from tenancy.audit_guard import lift_statements
from tenancy.choices import Tier
from tenancy.errors import StaleTenant
from tenancy.models import AuditEvent, Tenant, User
from tenancy.policy import _RULES, TenantPolicy, policy_from, tenant_policy
from tenancy.principals import principal_of_operator
from tenancy.scope import tenant_scope
from tenancy.serializers import TenantSettings
from tenancy.services import change_tenant, set_tenant_standing
from tests.people import Person
from tests.sealing import seal_now

TENANT, VERIFY = "/api/v1/tenant", "/api/v1/audit/verify"
NOBODYS = "01920b6e-6a31-7c02-8f7a-3b1d2f6c9a22"


def test_every_member_reads_the_own_tenant(ada: Person, zoe: Person) -> None:
    body = ada.api().get(TENANT).json()
    assert (body["slug"], body["tier"], body["status"]) == ("acme", "PROFESSIONAL", "ACTIVE")
    assert body["settings"] == asdict(TenantPolicy()) | {"monitored_groups": []}
    assert zoe.api().get(TENANT).json()["slug"] == "borealis"


def test_a_client_does_not_see_the_thresholds(cleo: Person) -> None:
    assert cleo.api().get(TENANT).json()["settings"] is None


def test_a_tenant_that_did_not_change_is_304(ada: Person, cleo: Person) -> None:
    api = ada.api()
    etag = api.get(TENANT).headers["ETag"]
    answer = api.get(TENANT, headers={"If-None-Match": f'"x", W/{etag}'})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert api.get(TENANT, headers={"If-None-Match": '"x"'}).status_code == 200
    assert cleo.api().get(TENANT).headers["ETag"] != etag


def test_an_administrator_changes_name_and_settings(adam: Person) -> None:
    change = {"name": "Acme Mutual", "settings": {"review_hours_urgent": 2, "jurisdiction": "US-CA"}}
    answer = adam.api().patch(TENANT, change, format="json")
    assert answer.status_code == 200
    assert answer.json()["name"] == "Acme Mutual"
    policy = tenant_policy(adam.tenant.id)
    assert (policy.review_hours_urgent, policy.jurisdiction, policy.review_hours_low) == (2, "US-CA", 72)
    with tenant_scope(adam.tenant.id):
        event = AuditEvent.objects.get()
    assert (event.event, event.actor_name) == ("tenant.changed", "Adam (key test)")
    assert '"review_hours_urgent":2' in event.after and "Acme Insurance" in event.before


def test_a_setting_of_null_goes_back_to_its_default(adam: Person) -> None:
    api = adam.api()
    api.patch(TENANT, {"settings": {"review_hours_urgent": 2, "review_hours_low": 9}}, format="json")
    answer = api.patch(TENANT, {"settings": {"review_hours_urgent": None}}, format="json")
    assert answer.json()["settings"]["review_hours_urgent"] == 4
    assert answer.json()["settings"]["review_hours_low"] == 9


def test_a_change_that_changes_nothing_leaves_no_event(adam: Person) -> None:
    assert adam.api().patch(TENANT, {"name": adam.tenant.name}, format="json").status_code == 200
    assert adam.api().patch(TENANT, {}, format="json").status_code == 200
    with tenant_scope(adam.tenant.id):
        assert not AuditEvent.objects.exists()
    assert Tenant.objects.get().version == 1


def test_a_stale_version_is_refused(adam: Person) -> None:
    api = adam.api()
    etag = api.get(TENANT).headers["ETag"]
    first = api.patch(TENANT, {"name": "One"}, format="json", headers={"If-Match": etag})
    second = api.patch(TENANT, {"name": "Two"}, format="json", headers={"If-Match": etag})
    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 412, "stale")
    assert first.headers["ETag"] == api.get(TENANT).headers["ETag"]
    weak = {"If-Match": f"W/{first.headers['ETag']}"}
    assert api.patch(TENANT, {"name": "Two"}, format="json", headers=weak).status_code == 412
    assert api.patch(TENANT, {"name": "Two"}, format="json", headers={"If-Match": "*"}).status_code == 200


def test_change_tenant_refuses_a_tenant_that_changed_since_it_was_read(adam: Person) -> None:
    read = Tenant.objects.get()
    Tenant.objects.update(version=5)
    with tenant_scope(adam.tenant.id), pytest.raises(StaleTenant):
        change_tenant(actor=adam.principal, tenant=read, name="x", settings={}, now=timezone.now())


@pytest.mark.parametrize("change", [{"tier": "ENTERPRISE"}, {"status": "CLOSED"}])
def test_tier_and_status_are_the_operators(adam: Person, change: dict[str, str]) -> None:
    answer = adam.api().patch(TENANT, change, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    olga = principal_of_operator(User.objects.create_user("olga", is_operator=True))
    wanted: Any = {"tier": "PROFESSIONAL", "status": "ACTIVE", **change}
    set_tenant_standing(actor=olga, tenant=adam.tenant, now=timezone.now(), **wanted)
    assert Tenant.objects.filter(**change).exists()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"name": ["x"]}, "/name"),
        ({"slug": "other"}, "/slug"),
        ({"id": str(new_id())}, "/id"),
        ({"tier": "GOLD"}, "/tier"),
        ({"settings": []}, "/settings"),
        ({"settings": None}, "/settings"),
        ({"settings": {"review_hours": 4}}, "/settings/review_hours"),
        ({"settings": {"review_hours_low": 0}}, "/settings/review_hours_low"),
        ({"settings": {"review_hours_low": 2.5}}, "/settings/review_hours_low"),
        ({"settings": {"review_hours_low": True}}, "/settings/review_hours_low"),
        ({"settings": {"review_hours_low": 2**62}}, "/settings/review_hours_low"),
        ({"settings": {"fraud_urgent_threshold": 1.01}}, "/settings/fraud_urgent_threshold"),
        ({"settings": {"fraud_urgent_threshold": "0.5"}}, "/settings/fraud_urgent_threshold"),
        ({"settings": {"external_providers_allowed": "no"}}, "/settings/external_providers_allowed"),
        ({"settings": {"jurisdiction": "germany"}}, "/settings/jurisdiction"),
        ({"settings": {"jurisdiction": "DE\n"}}, "/settings/jurisdiction"),
    ],
)
def test_a_bad_change_names_the_field(adam: Person, change: dict[str, Any], pointer: str) -> None:
    answer = adam.api().patch(TENANT, change, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert Tenant.objects.get().version == 1


def test_a_tier_without_thresholds_of_its_own_keeps_the_defaults(adam: Person) -> None:
    Tenant.objects.filter(id=adam.tenant.id).update(tier=Tier.BASIC)
    api = adam.api()
    refused = api.patch("/api/v1/tenant", {"settings": {"fraud_urgent_threshold": 0.4}}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "tier_required")
    assert api.patch("/api/v1/tenant", {"settings": {"fraud_urgent_threshold": None}}, format="json").status_code == 200


@pytest.mark.parametrize(("tier", "allowed"), [(Tier.FREE, False), (Tier.BASIC, True)])
def test_no_external_model_sees_a_free_tenants_claims(adam: Person, tier: Tier, allowed: bool) -> None:
    Tenant.objects.filter(id=adam.tenant.id).update(tier=tier)
    assert tenant_policy(adam.tenant.id).external_providers_allowed is allowed


def test_nobody_but_the_administrator_changes_the_tenant(ada: Person, sam: Person, cleo: Person) -> None:
    assert APIClient().get(TENANT).status_code == APIClient().patch(TENANT).status_code == 401
    for person in (ada, sam, cleo):
        assert person.api().patch(TENANT, {"name": "x"}, format="json").status_code == 403


def test_policy_has_a_rule_and_a_schema_field_for_each_setting() -> None:
    names = {field.name for field in fields(TenantPolicy)}
    assert names == set(_RULES) == set(TenantSettings().fields)
    assert policy_from({"review_hours_low": 5, "of an older version": 1}).review_hours_low == 5


def make_job(person: Person, **columns: Any) -> Job:
    values = {"kind": "reports.make", "tenant_ref": str(person.tenant.id), "max_attempts": 5, **columns}
    now = timezone.now()
    return Job.objects.create(run_after=now, next_publish_at=now, created_at=now, **values)


def test_a_task_is_seen_by_its_tenant(ada: Person, zoe: Person) -> None:
    job = make_job(ada, state=JobState.SUCCEEDED, progress_percent=100, result={"pages": 3})
    path = f"/api/v1/tasks/{job.id}"
    assert ada.api().get(path).json() == {
        "id": str(job.id),
        "kind": "reports.make",
        "status": "SUCCEEDED",
        "progress_percent": 100,
        "result": {"pages": 3},
        "error": None,
    }
    same = {"X-Request-ID": "same-request"}
    theirs = zoe.api().get(path, headers=same)
    nobodys = zoe.api().get(f"/api/v1/tasks/{new_id()}", headers=same)
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert APIClient().get(path).status_code == 401


def test_a_client_sees_the_tasks_it_asked_for(cleo: Person) -> None:
    own = make_job(cleo, arguments={"requested_by": str(cleo.user.id)})
    other = make_job(cleo, arguments={"requested_by": str(new_id())})
    assert cleo.api().get(f"/api/v1/tasks/{own.id}").status_code == 200
    assert cleo.api().get(f"/api/v1/tasks/{other.id}").status_code == 404


@pytest.mark.parametrize(("state", "shown"), [("PENDING", None), ("FAILED", "unreadable"), ("DEAD", "unreadable")])
def test_a_task_tells_the_code_of_its_end_and_no_trace(ada: Person, state: str, shown: str | None) -> None:
    job = make_job(ada, state=state, error_code="unreadable", error_detail="Traceback (most recent call last)")
    answer = ada.api().get(f"/api/v1/tasks/{job.id}")
    assert answer.json()["error"] == shown
    assert b"Traceback" not in answer.content


def test_an_auditor_verifies_the_own_trail(audrey: Person, adam: Person, ada: Person, zoe: Person) -> None:
    adam.api().patch(TENANT, {"name": "One"}, format="json")
    seal_now(audrey.tenant.id)
    body = audrey.api().get(VERIFY).json()
    assert body == {
        "ok": True,
        "events": 1,
        "awaiting_seal": 0,
        "seals": 1,
        "signed_by": None,
        "head": body["head"],
        "problem": None,
        "missing_triggers": [],
    }
    assert body["head"]["seq"] == 1 and len(body["head"]["hash"]) == 64
    assert (ada.api().get(VERIFY).status_code, APIClient().get(VERIFY).status_code) == (403, 401)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in lift_statements(connection.vendor):
            cursor.execute(statement)
        with tenant_scope(ada.tenant.id):
            cursor.execute("UPDATE tenancy_auditevent SET reason = 'x'")
    problem = audrey.api().get(VERIFY).json()["problem"]
    assert (problem["kind"], problem["seq"]) == ("altered", 1)


HOSTILE_BODIES = [
    b'{"name": "x\\u0000"}',
    b'{"name": "\\ud800"}',
    b'{"settings": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"name": "a", "name": "b"}',
    b'{"settings": {"review_hours_low": 1e400}}',
    b'{"settings": {"review_hours_low": NaN}}',
    b'{"settings": {"review_hours_low": ' + b"9" * 5_000 + b"}}",
    b'{"settings": {"\\ud800": 1}}',
    b"[]",
    b"\xff\xfe",
    b"",
]


@pytest.mark.parametrize("body", HOSTILE_BODIES)
@pytest.mark.parametrize(("method", "path"), [("PATCH", TENANT), ("POST", "/api/v1/api-keys")])
def test_hostile_bodies_get_a_400_that_says_why(adam: Person, body: bytes, method: str, path: str) -> None:
    answer = adam.api().generic(method, path, body, content_type="application/json")  # type: ignore[arg-type]
    if not body and method == "PATCH":
        assert answer.status_code == 200  # nothing to change
        return
    assert answer.status_code == 400 and answer.json()["errors"]
    assert Tenant.objects.get().version == 1


def test_a_body_over_the_cap_gets_413(adam: Person) -> None:
    body = b'{"name": "' + b"x" * 2_000_000 + b'"}'
    answer = adam.api().generic("PATCH", TENANT, body, content_type="application/json")  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=1e9", "limit=1&limit=2", "limit=%D9%A1", "cursor=p%3Dnotadate", "cursor=%00"),
        *("cursor=" + "A" * 3_000, "page=2", "created_at__gt=x", "_connector=OR", "ordering=secret_sha256"),
        "format=xml",
    ],
)
def test_hostile_queries_get_400(adam: Person, query: str) -> None:
    answer = adam.api().get(f"/api/v1/api-keys?{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("path", [TENANT, VERIFY, f"/api/v1/tasks/{NOBODYS}", f"/api/v1/api-keys/{NOBODYS}"])
def test_an_unknown_parameter_is_refused_everywhere(adam: Person, path: str) -> None:
    assert adam.api().get(f"{path}?x=1").json()["code"] == "unknown_parameter"
