"""Dead letters over HTTP: the operator decides, a tenant's administrator sees the own ones, nobody else any."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from observability.choices import JobState
from observability.dead_letters import resolve_letter
from observability.models import DeadLetter, Job
from tenancy.models import User
from tenancy.scope import tenant_scope
from tests.observability.work import make_letter
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.django_db

JSON = "application/json"
LIST = "/api/v1/dlq/jobs"


@pytest.fixture
def olga() -> Client:
    """Olga operates the platform."""
    browser = Client()
    browser.force_login(User.objects.create_user("olga", password=PASSWORD, is_operator=True))
    return browser


def test_the_operator_sees_the_letters_of_all_newest_first(olga: Client, adam: Person) -> None:
    now = timezone.now()
    old = make_letter(now=now - timedelta(hours=1))
    new = make_letter(tenant_ref=str(adam.tenant.id), now=now)
    body = olga.get(LIST).json()
    assert [item["id"] for item in body["items"]] == [str(new.id), str(old.id)]
    assert body["next_cursor"] is None
    first = body["items"][0]
    assert (first["job_id"], first["tenant_id"]) == (str(new.job_id), str(adam.tenant.id))
    assert (first["reason_code"], first["attempts"], first["resolution"]) == ("valueerror", 5, None)
    assert first["traceback"] == "ValueError: no good"
    assert body["items"][1]["tenant_id"] is None


def test_the_list_is_paged_and_filtered(olga: Client) -> None:
    letters = [make_letter(now=timezone.now() - timedelta(minutes=n), kind=f"kind.{n % 2}") for n in range(5)]
    resolve_letter(letter_id=letters[0].id, by="olga", now=timezone.now())
    first = olga.get(LIST, {"limit": "3"}).json()
    rest = olga.get(LIST, {"limit": "3", "cursor": first["next_cursor"]}).json()
    assert [i["id"] for i in (*first["items"], *rest["items"])] == [str(letter.id) for letter in letters]
    assert len(olga.get(LIST, {"resolution": "OPEN"}).json()["items"]) == 4
    assert len(olga.get(LIST, {"resolution": "RESOLVED"}).json()["items"]) == 1
    assert len(olga.get(LIST, {"kind": "kind.1", "reason_code": "valueerror"}).json()["items"]) == 2
    assert olga.get(LIST, {"resolution": "NEVER"}).status_code == 400
    assert olga.get(LIST, {"colour": "red"}).json()["code"] == "unknown_parameter"


def test_a_retry_runs_the_job_once_and_the_second_asker_is_told(olga: Client) -> None:
    letter = make_letter()
    answer = olga.post(f"/api/v1/dlq/{letter.job_id}/retry", {"note": "disk was full"}, content_type=JSON)
    assert (answer.status_code, answer.json()["resolution"]) == (202, "RETRIED")
    assert answer.json()["resolved_by"] == str(User.objects.get(username="olga").pk)
    assert answer.json()["note"] == "disk was full"
    assert Job.objects.get().state == JobState.PENDING
    again = olga.post(f"/api/v1/dlq/{letter.id}/retry", content_type=JSON)
    assert (again.status_code, again.json()["code"], again.json()["resolution"]) == (409, "already_resolved", "RETRIED")


def test_a_letter_is_resolved_or_dropped_with_a_note(olga: Client) -> None:
    letter = make_letter()
    address = f"/api/v1/dlq/{letter.id}/resolve"
    assert olga.post(address, {"resolution": "RETRIED"}, content_type=JSON).status_code == 400
    assert olga.post(address, {"note": "x" * 501}, content_type=JSON).status_code == 400
    assert olga.post(address, {"why": "x"}, content_type=JSON).status_code == 400
    answer = olga.post(address, {"resolution": "DROPPED", "note": "claim withdrawn"}, content_type=JSON)
    assert (answer.status_code, answer.json()["resolution"], answer.json()["note"]) == (
        200,
        "DROPPED",
        "claim withdrawn",
    )
    assert Job.objects.get().state == JobState.DEAD
    assert olga.post(address, content_type=JSON).status_code == 409
    assert olga.post(f"/api/v1/dlq/{uuid4()}/resolve", content_type=JSON).json()["code"] == "not_found"


def test_cleanup_removes_ended_letters_of_that_age_alone(olga: Client) -> None:
    old, waiting = make_letter(), make_letter()
    resolve_letter(letter_id=old.id, by="olga", now=timezone.now() - timedelta(days=10))
    assert olga.delete("/api/v1/dlq/cleanup").json() == {"deleted": 0}, "thirty days unless told otherwise"
    assert olga.delete("/api/v1/dlq/cleanup?older_than_days=9").json() == {"deleted": 1}
    assert DeadLetter.objects.get().id == waiting.id
    for wrong in ("-1", "x", "99999", "1.5"):
        assert olga.delete(f"/api/v1/dlq/cleanup?older_than_days={wrong}").status_code == 400


def test_a_tenants_administrator_sees_the_own_letters_and_no_more_of_them_than_is_theirs(
    adam: Person, zoe: Person, olga: Client
) -> None:
    own = make_letter(tenant_ref=str(adam.tenant.id))
    make_letter(tenant_ref=str(zoe.tenant.id))
    make_letter()
    resolve_letter(letter_id=own.id, by="olga", now=timezone.now(), note="seen by Olga")
    (item,) = adam.api().get(LIST).json()["items"]
    assert (item["id"], item["resolution"]) == (str(own.id), "RESOLVED")
    assert (item["traceback"], item["note"], item["resolved_by"]) == (None, None, None)


def test_letters_are_neither_for_a_stranger_nor_for_a_tenant_to_end(adam: Person, ada: Person, client: Client) -> None:
    letter = make_letter(tenant_ref=str(adam.tenant.id))
    addresses = [
        ("get", LIST),
        ("post", f"/api/v1/dlq/{letter.id}/retry"),
        ("post", f"/api/v1/dlq/{uuid4()}/retry"),
        ("post", f"/api/v1/dlq/{letter.id}/resolve"),
        ("delete", "/api/v1/dlq/cleanup"),
    ]
    for verb, address in addresses:
        assert getattr(client, verb)(address).status_code == 401
        for person in (adam, ada):
            answer = getattr(person.api(), verb)(address)
            expected = 200 if (verb, person) == ("get", adam) else 403
            assert answer.status_code == expected, (verb, address, person.role)
    letter.refresh_from_db()
    assert letter.resolution == ""


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row-level security")
def test_the_database_shows_a_tenant_its_own_letters_whatever_is_asked(adam: Person, zoe: Person) -> None:
    make_letter(tenant_ref=str(adam.tenant.id))
    make_letter(tenant_ref=str(zoe.tenant.id))
    make_letter()
    with tenant_scope(zoe.tenant.id):
        assert list(DeadLetter.objects.values_list("tenant_ref", flat=True)) == [str(zoe.tenant.id)]
        assert DeadLetter.objects.update(note="x") == 1
    assert DeadLetter.objects.count() == 3


def test_the_operator_finds_letters_in_the_admin_and_writes_none(olga: Client) -> None:
    letter = make_letter()
    page = "/admin/observability/deadletter/"
    assert str(letter.job_id) in olga.get(page, {"waits": "yes"}).content.decode()
    assert str(letter.job_id) not in olga.get(page, {"waits": "no"}).content.decode()
    form = olga.get(f"{page}{letter.id}/change/").content.decode()
    assert "ValueError: no good" in form and 'name="resolution"' not in form
    olga.post(page, {"action": "retry", "_selected_action": [str(letter.id)]})
    letter.refresh_from_db()
    assert letter.resolution == "RETRIED"


def test_prometheus_reads_how_many_letters_wait(client: Client) -> None:
    make_letter()
    resolve_letter(letter_id=make_letter().id, by="olga", now=timezone.now())
    assert 'claimwright_dead_letters{kind="test.count"} 1.0' in client.get("/metrics").content.decode().splitlines()
