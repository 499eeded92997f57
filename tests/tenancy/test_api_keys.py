"""API keys over HTTP: made, listed, rotated, revoked; by administrators of the tenant and nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from observability.ids import new_id
from tenancy.audit_verification import verify_audit
from tenancy.choices import Role
from tenancy.errors import KeyBeyondRights
from tenancy.models import ApiKey, AuditEvent, IdempotencyRecord, Tenant, User
from tenancy.principals import principal_of_operator
from tenancy.scope import tenant_scope
from tenancy.services import revoke_api_key, rotate_api_key
from tests.people import Person, make_key, make_person

KEYS = "/api/v1/api-keys"
BODY = {"name": "nightly", "scopes": ["read"]}


@pytest.fixture
def bea(borealis: Tenant) -> Person:
    return make_person(borealis, "bea", Role.ADMIN)


def with_key(secret: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_X_API_KEY=secret)
    return client


def make(adam: Person, **body: Any) -> Any:
    return adam.api().post(KEYS, {**BODY, **body}, format="json")


def events(person: Person) -> list[str]:
    with tenant_scope(person.tenant.id):
        return list(AuditEvent.objects.order_by("id").values_list("event", flat=True))


def test_an_administrator_makes_a_key_that_works(adam: Person) -> None:
    answer = make(adam)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{KEYS}/{body['id']}"
    assert "no-store" in answer.headers["Cache-Control"]
    assert body["secret"].startswith(body["prefix"]) and len(body["secret"]) == 51
    assert with_key(body["secret"]).get("/api/v1/tenant").status_code == 200
    assert with_key(body["secret"]).get(KEYS).status_code == 403
    assert body["secret"] not in str(list(ApiKey.objects.values()))
    assert events(adam) == ["api_key.created"] and verify_audit(adam.tenant).ok


def test_a_key_is_listed_without_its_secret(adam: Person, bea: Person) -> None:
    made = make(adam).json()
    make(bea)
    api = adam.api()
    items = api.get(KEYS).json()["items"]
    assert {item["name"] for item in items} == {"nightly", "test"}
    assert all("secret" not in item for item in items)
    assert api.get(f"{KEYS}/{made['id']}").json()["name"] == "nightly"


def test_the_list_of_keys_is_walked_by_cursor(adam: Person) -> None:
    for _ in range(4):
        make_key(adam)
    api = adam.api()
    seen, cursor = [], ""
    while True:
        page = api.get(f"{KEYS}?limit=2{cursor}").json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5


def test_a_key_has_no_more_than_its_creator(adam: Person) -> None:
    narrow = with_key(make_key(adam, scopes=["admin", "read"]))
    assert narrow.post(KEYS, BODY, format="json").status_code == 201
    answer = narrow.post(KEYS, {**BODY, "scopes": ["read", "review"]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_not_allowed")


def test_a_key_for_a_client_stays_within_the_clients_rights(adam: Person, cleo: Person, ada: Person) -> None:
    made = make(adam, user_id=str(cleo.user.id), scopes=["read", "write"])
    assert made.json()["user"] == {"id": str(cleo.user.id), "name": "Cleo"}
    assert make(adam, user_id=str(cleo.user.id), scopes=["review"]).status_code == 403
    assert make(adam, user_id=str(ada.user.id)).json()["code"] == "scope_not_allowed"


def test_a_key_for_another_tenants_member_or_nobody_is_refused(adam: Person, zoe: Person) -> None:
    answers = [make(adam, user_id=str(user)) for user in (zoe.user.id, new_id())]
    assert [a.status_code for a in answers] == [400, 400]
    bodies = [{k: v for k, v in a.json().items() if k != "request_id"} for a in answers]
    assert bodies[0] == bodies[1] and bodies[0]["errors"][0]["pointer"] == "/user_id"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": 5}, "/name"),
        ({"name": "x" * 81}, "/name"),
        ({"name": None}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["ops"]}, "/scopes/0"),
        ({"scopes": ["read", "everything"]}, "/scopes/1"),
        ({"scopes": "read"}, "/scopes"),
        ({"scopes": [["read"]]}, "/scopes/0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, "/expires_at"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"expires_at": 1e30}, "/expires_at"),
        ({"user_id": "1"}, "/user_id"),
        ({"tenant_id": str(new_id())}, "/tenant_id"),
        ({"secret": "clm_live_x"}, "/secret"),
        ({"a/b": 1}, "/a~1b"),
    ],
)
def test_a_bad_request_for_a_key_names_the_field(adam: Person, change: dict[str, Any], pointer: str) -> None:
    answer = make(adam, **change)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not ApiKey.objects.filter(name="nightly").exists() and events(adam) == []


def test_a_repeated_request_makes_one_key_and_shows_the_secret_once(adam: Person) -> None:
    api, headers = adam.api(), {"Idempotency-Key": "k1"}
    first = api.post(KEYS, BODY, format="json", headers=headers)
    second = api.post(KEYS, BODY, format="json", headers=headers)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json() == {**first.json(), "secret": None}
    with tenant_scope(adam.tenant.id):
        assert first.json()["secret"] not in str(list(IdempotencyRecord.objects.values()))


def test_a_rotated_key_works_beside_its_successor_for_a_day(adam: Person) -> None:
    old = make(adam).json()
    answer = adam.api().post(f"{KEYS}/{old['id']}/rotate")
    new = answer.json()
    assert answer.status_code == 201
    assert (new["rotated_from"], new["scopes"], new["name"]) == (old["id"], ["read"], "nightly")
    assert with_key(old["secret"]).get("/api/v1/tenant").status_code == 200
    assert with_key(new["secret"]).get("/api/v1/tenant").status_code == 200
    ends = ApiKey.objects.get(id=old["id"]).expires_at
    assert ends is not None and timedelta(hours=23, minutes=59) < ends - timezone.now() <= timedelta(hours=24)
    ApiKey.objects.filter(id=old["id"]).update(expires_at=timezone.now())
    assert with_key(old["secret"]).get("/api/v1/tenant").status_code == 401
    assert events(adam) == ["api_key.created", "api_key.rotated"]


def test_a_rotation_keeps_the_lifetime_and_never_prolongs_the_old_key(adam: Person) -> None:
    now = timezone.now()
    secret = make_key(adam)
    old = ApiKey.objects.get(prefix=secret[:15])
    old.created_at, old.expires_at = now - timedelta(days=29), now + timedelta(hours=3)
    old.save()
    lifetime = old.expires_at - old.created_at
    with tenant_scope(adam.tenant.id):
        issued = rotate_api_key(actor=adam.principal, key_id=old.id, now=now)
    old.refresh_from_db()
    assert old.expires_at == now + timedelta(hours=3)
    assert issued.key.expires_at == now + lifetime


def test_a_key_is_rotated_once(adam: Person) -> None:
    api, old = adam.api(), make(adam).json()
    assert api.post(f"{KEYS}/{old['id']}/rotate").status_code == 201
    answer = api.post(f"{KEYS}/{old['id']}/rotate")
    assert (answer.status_code, answer.json()["code"]) == (409, "api_key_not_active")


def test_a_revoked_key_is_dead_at_once_and_stays_listed(adam: Person) -> None:
    api, made = adam.api(), make(adam).json()
    assert [api.delete(f"{KEYS}/{made['id']}").status_code for _ in range(2)] == [204, 204]
    assert with_key(made["secret"]).get("/api/v1/tenant").status_code == 401
    assert api.get(f"{KEYS}/{made['id']}").json()["revoked_at"]
    assert api.post(f"{KEYS}/{made['id']}/rotate").json()["code"] == "api_key_not_active"
    assert events(adam) == ["api_key.created", "api_key.revoked"]


def test_rotating_gives_no_rights_that_the_caller_lacks(adam: Person) -> None:
    strong = make(adam, scopes=["read", "review"]).json()
    narrow = with_key(make_key(adam, scopes=["admin"]))
    assert narrow.post(f"{KEYS}/{strong['id']}/rotate").json()["code"] == "scope_not_allowed"


def requests_on(key_id: Any) -> list[tuple[str, str]]:
    return [
        ("GET", KEYS),
        ("POST", KEYS),
        ("GET", f"{KEYS}/{key_id}"),
        ("DELETE", f"{KEYS}/{key_id}"),
        ("POST", f"{KEYS}/{key_id}/rotate"),
    ]


def test_a_stranger_gets_401_and_a_colleague_403(adam: Person, ada: Person, sam: Person, cleo: Person) -> None:
    made = make(adam).json()
    for method, path in requests_on(made["id"]):
        assert APIClient().generic(method, path).status_code == 401
        for person in (ada, sam, cleo):
            assert person.api().generic(method, path).status_code == 403
    assert ApiKey.objects.get(id=made["id"]).revoked_at is None


def test_another_tenants_key_looks_like_no_key(adam: Person, bea: Person) -> None:
    api, theirs = adam.api(), make(bea).json()
    for (method, path), (_, nowhere) in zip(requests_on(theirs["id"]), requests_on(new_id()), strict=True):
        if path == KEYS:
            continue
        answers = [api.generic(method, where, headers={"X-Request-ID": "same-request"}) for where in (path, nowhere)]
        assert [a.status_code for a in answers] == [404, 404]
        assert answers[0].content == answers[1].content
    assert ApiKey.objects.get(id=theirs["id"]).revoked_at is None
    assert events(bea) == ["api_key.created"]


def test_the_operator_revokes_any_key_and_the_tenants_trail_tells(adam: Person) -> None:
    made = make(adam).json()
    olga = principal_of_operator(User.objects.create_user("olga", is_operator=True))
    revoke_api_key(actor=olga, key_id=made["id"], now=timezone.now())
    with tenant_scope(adam.tenant.id):
        event = AuditEvent.objects.get(event="api_key.revoked")
    assert (event.actor_name, event.object_id) == ("olga", made["id"])


def test_the_service_asks_for_the_right_by_itself(ada: Person, adam: Person) -> None:
    made = make(adam).json()
    with tenant_scope(ada.tenant.id):
        for call in (rotate_api_key, revoke_api_key):
            with pytest.raises(Exception, match="role does not allow"):
                call(actor=ada.principal, key_id=made["id"], now=timezone.now())
    assert KeyBeyondRights.code == "scope_not_allowed"
