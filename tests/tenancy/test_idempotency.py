from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import QueryDict
from django.utils import timezone
from rest_framework.test import APIClient

from tenancy.idempotency import fingerprint_of, purge_expired_records
from tenancy.keys import secret_hash
from tenancy.models import ApiKey, AuditEvent, IdempotencyRecord
from tenancy.scope import every_tenant, tenant_scope
from tests.people import Person, make_key
from tests.tenancy.urls import ThingsView

pytestmark = pytest.mark.urls("tests.tenancy.urls")


@pytest.fixture(autouse=True)
def no_calls() -> Iterator[None]:
    ThingsView.calls.clear()
    yield


def send(api: APIClient, key: str, body: dict[str, Any] | None = None, path: str = "/api/v1/things") -> Any:
    return api.post(path, body or {"name": "a"}, format="json", headers={"Idempotency-Key": key})


def effects() -> int:
    with every_tenant("test"):
        return AuditEvent.objects.filter(object_type="thing").count()


def test_the_same_request_twice_has_one_effect_and_one_answer(ada: Person) -> None:
    api = ada.api()
    first, second = send(api, "k1"), send(api, "k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert effects() == 1


def test_another_order_of_the_same_fields_is_the_same_request(ada: Person) -> None:
    api = ada.api()
    send(api, "k1", {"name": "a", "more": {"x": 1, "y": 2}})
    assert "Idempotency-Replayed" in send(api, "k1", {"more": {"y": 2, "x": 1}, "name": "a"}).headers


def test_another_body_under_a_used_key_is_refused(ada: Person) -> None:
    api = ada.api()
    send(api, "k1")
    answer = send(api, "k1", {"name": "b"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert effects() == 1


def test_a_key_that_is_still_running_is_refused(ada: Person) -> None:
    api = ada.api()
    send(api, "k1")
    with tenant_scope(ada.tenant.id):
        IdempotencyRecord.objects.update(response_status=None, locked_until=timezone.now() + timedelta(minutes=1))
    answer = send(api, "k1")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
    assert send(api, "k1", {"name": "b"}).json()["code"] == "idempotency_key_reused"


def test_the_key_of_a_holder_that_died_is_free_after_its_lock(ada: Person) -> None:
    api = ada.api()
    send(api, "k1")
    with tenant_scope(ada.tenant.id):
        IdempotencyRecord.objects.update(response_status=None, locked_until=timezone.now() - timedelta(seconds=1))
    answer = send(api, "k1")
    assert answer.status_code == 201 and "Idempotency-Replayed" not in answer.headers
    assert send(api, "k1").content == answer.content


def test_a_key_can_be_used_anew_after_its_time_to_live(ada: Person) -> None:
    api = ada.api()
    send(api, "k1")
    with tenant_scope(ada.tenant.id):
        IdempotencyRecord.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert send(api, "k1", {"name": "b"}).status_code == 201
    assert effects() == 2


def test_the_same_key_is_another_one_for_another_person_tenant_or_address(
    ada: Person, sam: Person, zoe: Person
) -> None:
    api = ada.api()
    for other in (api, ada.api(), sam.api(), zoe.api()):
        assert "Idempotency-Replayed" not in send(other, "k1").headers
    assert "Idempotency-Replayed" not in send(api, "k1", path=f"/api/v1/things/{UUID(int=1)}").headers
    assert effects() == 5


def test_a_refusal_for_the_body_is_kept(ada: Person) -> None:
    api = ada.api()
    first, second = send(api, "k1", {"ending": "refused"}), send(api, "k1", {"ending": "refused"})
    assert first.status_code == second.status_code == 400
    assert second.headers["Content-Type"] == "application/problem+json"
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(ThingsView.calls) == 1


@pytest.mark.parametrize(("ending", "status"), [("conflict", 409), ("away", 503), ("crash", 500)])
def test_what_may_work_later_is_tried_again(ada: Person, ending: str, status: int) -> None:
    api = ada.api()
    for _ in range(2):
        assert send(api, "k1", {"ending": ending}).status_code == status
    assert len(ThingsView.calls) == 2
    with every_tenant("test"):
        assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["", " ", "a\tb", "é", "k" * 256, " lead", "x\x00", "🚗"])
def test_an_odd_key_is_refused(ada: Person, key: str) -> None:
    answer = ada.api().post("/api/v1/things", {}, format="json", HTTP_IDEMPOTENCY_KEY=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert not ThingsView.calls


def test_a_request_without_a_key_is_simply_run(ada: Person) -> None:
    api = ada.api()
    assert [api.post("/api/v1/things", {"name": "a"}, format="json").status_code for _ in range(2)] == [201, 201]
    assert effects() == 2


def test_a_stranger_and_a_broken_body_reserve_nothing(ada: Person) -> None:
    assert send(APIClient(), "k1").status_code == 401
    headers = {"Idempotency-Key": "k1"}
    answer = ada.api().post("/api/v1/things", b'{"a": ', content_type="application/json", headers=headers)
    assert answer.status_code == 400
    with every_tenant("test"):
        assert not IdempotencyRecord.objects.exists()


def test_fingerprint_of_a_form_is_its_fields_and_its_files_bytes() -> None:
    def form(content: bytes, name: str = "a.mp4", number: str = "1") -> QueryDict:
        data = QueryDict(mutable=True)
        data["claim_number"] = number
        data["video"] = SimpleUploadedFile(name, content)  # type: ignore[assignment]
        return data

    same = fingerprint_of(form(b"x"))
    assert same == fingerprint_of(form(b"x", name="b.mp4"))
    assert len({same, fingerprint_of(form(b"y")), fingerprint_of(form(b"x", number="2"))}) == 3


def test_fingerprint_of_a_file_takes_the_digest_made_while_streaming() -> None:
    streamed = SimpleUploadedFile("a.mp4", b"not read again")
    streamed.sha256 = hashlib.sha256(b"x").hexdigest()  # type: ignore[attr-defined]
    streamed.size = 1
    assert fingerprint_of({"video": streamed}) == fingerprint_of({"video": SimpleUploadedFile("a.mp4", b"x")})


def test_purge_expired_records_leaves_the_others(ada: Person) -> None:
    api = ada.api()
    for key in ("old", "new"):
        send(api, key)
    now = timezone.now()
    with tenant_scope(ada.tenant.id):
        IdempotencyRecord.objects.filter(key="old").update(expires_at=now - timedelta(seconds=1))
    assert purge_expired_records(now=now) == 1
    with tenant_scope(ada.tenant.id):
        assert IdempotencyRecord.objects.get().key == "new"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keys", [1, 20])
def test_sixty_four_clients_have_one_effect_for_each_key(ada: Person, keys: int) -> None:
    secret = make_key(ada)
    start = Barrier(64)

    def one_client(number: int) -> tuple[int, int, bytes, str]:
        key = number % keys
        try:
            start.wait(timeout=60)
            answer = APIClient().post(
                "/api/v1/things",
                {"name": str(key)},
                format="json",
                headers={"X-API-Key": secret, "Idempotency-Key": f"key {key}"},
            )
            return key, answer.status_code, answer.content, answer.headers.get("Idempotency-Replayed", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(one_client, range(64)))
    assert effects() == keys == len(ThingsView.calls)
    for key in range(keys):
        mine = [answer[1:] for answer in answers if answer[0] == key]
        assert {status for status, _, _ in mine} <= {201, 409}
        made = [(content, replayed) for status, content, replayed in mine if status == 201]
        assert len({content for content, _ in made}) == 1
        assert [replayed for _, replayed in made].count("") == 1


@pytest.mark.django_db(transaction=True)
def test_many_tries_after_a_holder_died_run_it_once(ada: Person) -> None:
    secret = make_key(ada)
    send(ada.api(), "other")
    with tenant_scope(ada.tenant.id):
        row = IdempotencyRecord.objects.get()
        IdempotencyRecord.objects.update(
            principal_id=ApiKey.objects.get(secret_sha256=secret_hash(secret)).id,
            key="k1",
            response_status=None,
            locked_until=timezone.now() - timedelta(seconds=1),
        )
    before, start = effects(), Barrier(16)

    def one_client(_number: int) -> int:
        try:
            start.wait(timeout=60)
            headers = {"X-API-Key": secret, "Idempotency-Key": "k1"}
            return int(APIClient().post("/api/v1/things", {"name": "a"}, format="json", headers=headers).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one_client, range(16)))
    assert set(statuses) <= {201, 409} and 201 in statuses
    assert effects() == before + 1
    with tenant_scope(ada.tenant.id):
        assert IdempotencyRecord.objects.get().id == row.id
