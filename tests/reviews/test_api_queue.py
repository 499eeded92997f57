"""`GET /reviews/queue` and `POST /reviews/next` as an integrator meets them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from claims.choices import ReviewPriority
from claims.models import Claim
from reviews.leases import take_lease
from reviews.models import ReviewLease
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim
from tests.people import Person, make_key

QUEUE, NEXT = "/api/v1/reviews/queue", "/api/v1/reviews/next"


def test_queue_lists_what_waits_with_counts(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo, priority=ReviewPriority.URGENT)
    answer = ada.api().get(QUEUE)
    assert answer.status_code == 200
    body = answer.json()
    assert body["counts"] == {"URGENT": 1, "STANDARD": 0, "LOW_PRIORITY": 0}
    assert body["next_cursor"] is None
    [item] = body["items"]
    assert (item["claim_id"], item["claim_number"]) == (str(claim.id), "CLM-1")
    assert item["review_due_at"].endswith("Z")
    assert item["lease"] is None
    assert answer["Cache-Control"].startswith("private")


def test_pages_of_one_class_begin_at_the_cursor(ada: Person, cleo: Person) -> None:
    due = timezone.now()
    for number in range(7):
        priority = ReviewPriority.URGENT if number % 3 else ReviewPriority.STANDARD
        make_assessed_claim(cleo, f"CLM-{number}", priority=priority, now=due)
    api, seen, query = ada.api(), [], {"limit": "1", "priority": "URGENT"}
    for _ in range(4):
        with CaptureQueriesContext(connection) as asked:
            body = api.get(QUEUE, query).json()
        seen += [item["claim_number"] for item in body["items"]]
        query["cursor"] = str(body["next_cursor"])
    assert (sorted(seen), body["next_cursor"]) == (["CLM-1", "CLM-2", "CLM-4", "CLM-5"], None)
    # With the rank in the comparison PostgreSQL reads the class from its first claim on, however deep the page.
    [page] = [one["sql"] for one in asked if "LIMIT" in one["sql"] and "claims_assessment" in one["sql"]]
    assert '("claims_claim"."review_due_at", "claims_claim"."id") > (' in page


def test_queue_pages_show_each_claim_once_in_order(ada: Person, cleo: Person) -> None:
    due = timezone.now()
    for number in range(9):
        # Tied due times are where lesser cursors loop.
        make_assessed_claim(cleo, f"CLM-{number}", priority=list(ReviewPriority)[number % 3], now=due)
    api = ada.api()
    cursor: str | None = ""
    seen: list[tuple[str, str]] = []
    for _ in range(5):
        query = {"limit": "2", "cursor": str(cursor)} if cursor else {"limit": "2"}
        body = api.get(QUEUE, query).json()
        seen += [(item["review_priority"], item["claim_id"]) for item in body["items"]]
        cursor = body["next_cursor"]
        assert len(body["items"]) == (2 if cursor else 1)
    assert cursor is None
    assert len({claim_id for _, claim_id in seen}) == 9
    assert [priority for priority, _ in seen] == ["URGENT"] * 3 + ["STANDARD"] * 3 + ["LOW_PRIORITY"] * 3


def test_queue_filters_in_the_address(ada: Person, sam: Person, cleo: Person) -> None:
    now = timezone.now()
    mine = make_assessed_claim(cleo, "MINE", priority=ReviewPriority.URGENT)
    make_assessed_claim(cleo, "LATE", now=now - timedelta(days=3))
    with tenant_scope(ada.tenant.id):
        take_lease(claim_id=mine.id, actor=ada.principal, now=now)
    api = ada.api()

    def numbers(**query: str) -> list[str]:
        return [item["claim_number"] for item in api.get(QUEUE, query).json()["items"]]

    assert numbers(priority="URGENT") == ["MINE"]
    assert numbers(mine="true") == ["MINE"]
    assert numbers(mine="false") == ["MINE", "LATE"]
    assert numbers(overdue="true") == ["LATE"]
    assert api.get(QUEUE, {"mine": "true"}).json()["items"][0]["lease"]["mine"] is True
    assert sam.api().get(QUEUE, {"priority": "URGENT"}).json()["items"][0]["lease"]["mine"] is False


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"priority": "urgent"}, "invalid_input"),
        ({"mine": "perhaps"}, "invalid_input"),
        ({"limit": "0"}, "invalid_input"),
        ({"limit": "101"}, "invalid_input"),
        ({"cursor": "AAAA"}, "invalid_cursor"),
        ({"prioritty": "URGENT"}, "unknown_parameter"),
    ],
)
def test_queue_refuses_a_query_it_does_not_know(ada: Person, query: dict[str, str], code: str) -> None:
    answer = ada.api().get(QUEUE, query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_queue_refuses_a_cursor_of_other_filters_and_of_another_tenant(ada: Person, zoe: Person, cleo: Person) -> None:
    for number in range(3):
        make_assessed_claim(cleo, f"CLM-{number}")
    cursor = ada.api().get(QUEUE, {"limit": 1}).json()["next_cursor"]
    assert cursor
    for person, query in ((ada, {"priority": "STANDARD"}), (zoe, {})):
        answer = person.api().get(QUEUE, {"cursor": cursor, **query})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.usefixtures("uncounted")
def test_queue_costs_the_same_queries_for_any_page(
    ada: Person, cleo: Person, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        make_assessed_claim(cleo, f"CLM-{number}")
    api = ada.api()
    # Key with tenant and person, membership, "last used", page, counts.
    with django_assert_max_num_queries(5):
        api.get(QUEUE, {"limit": 2})
    with django_assert_max_num_queries(3):
        assert len(api.get(QUEUE, {"limit": 8}).json()["items"]) == 8


def test_next_hands_out_claims_until_none_is_left(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo)
    api = ada.api()
    answer = api.post(NEXT)
    assert answer.status_code == 200
    with tenant_scope(ada.tenant.id):
        lease = ReviewLease.objects.get()
    body = answer.json()
    assert body["claim_id"] == str(claim.id)
    assert body["assessment_id"] == str(claim.assessment_id)
    assert body["lease_token"] == str(lease.token)
    assert body["lease_expires_at"].endswith("Z")
    empty = api.post(NEXT)
    assert (empty.status_code, empty.content) == (204, b"")


def test_next_refuses_words_it_does_not_know(ada: Person) -> None:
    answer = ada.api().post(NEXT, {"priority": "URGENT"}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown_field")


def test_zoe_sees_and_takes_nothing_of_acme(zoe: Person, cleo: Person) -> None:
    make_assessed_claim(cleo)
    body = zoe.api().get(QUEUE).json()
    assert (body["items"], sum(body["counts"].values())) == ([], 0)
    assert zoe.api().post(NEXT).status_code == 204


@pytest.mark.parametrize("who", ["cleo", "audrey"])
def test_the_desk_refuses_who_may_not_review(who: str, cleo: Person, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)
    make_assessed_claim(cleo)
    for answer in (person.api().get(QUEUE), person.api().post(NEXT)):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    with tenant_scope(cleo.tenant.id):
        assert not ReviewLease.objects.exists()


def test_the_desk_refuses_a_key_without_the_scope(ada: Person) -> None:
    api = APIClient(raise_request_exception=False)
    api.credentials(HTTP_X_API_KEY=make_key(ada, scopes=["read", "write"]))
    assert api.get(QUEUE).status_code == 403
    assert api.post(NEXT).status_code == 403


def test_the_desk_refuses_a_stranger(claim_of_acme: Claim) -> None:
    for answer in (APIClient().get(QUEUE), APIClient().post(NEXT)):
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


@pytest.fixture
def claim_of_acme(cleo: Person) -> Claim:
    return make_assessed_claim(cleo)
