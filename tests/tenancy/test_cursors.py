from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import QuerySet

from observability.errors import PlatformError
from tenancy.cursors import OrderColumn, page_of
from tenancy.errors import InvalidCursor
from tenancy.models import IdempotencyRecord
from tenancy.scope import tenant_scope
from tests.people import Person

AT = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
NEWEST = (OrderColumn("locked_until", descending=True), OrderColumn("id", descending=True))
MIXED = (OrderColumn("route"), OrderColumn("locked_until", descending=True), OrderColumn("id"))


def make_rows(count: int, **columns: Any) -> list[IdempotencyRecord]:
    values = {"principal_id": "0" * 32, "route": "r", "locked_until": AT, "expires_at": AT, **columns}
    start = IdempotencyRecord.objects.count()
    return IdempotencyRecord.objects.bulk_create(
        [IdempotencyRecord(key=f"{start + number}", **values) for number in range(count)]
    )


def walk(order: Any, limit: int, rows: QuerySet[Any] | None = None, **filters: str) -> list[IdempotencyRecord]:
    seen: list[IdempotencyRecord] = []
    cursor = None
    for _ in range(1_000):
        queryset = IdempotencyRecord.objects.all() if rows is None else rows
        page = page_of(queryset, order=order, limit=limit, cursor=cursor, filters=filters)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            return seen
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("order", [NEWEST, MIXED])
def test_page_of_shows_each_row_once_when_all_have_one_timestamp(ada: Person, order: Any) -> None:
    with tenant_scope(ada.tenant.id):
        made = make_rows(57)
        seen = [row.id for row in walk(order, 10)]
        assert len(seen) == len(made) and set(seen) == {row.id for row in made}


def test_page_of_keeps_the_order_with_mixed_directions(ada: Person) -> None:
    with tenant_scope(ada.tenant.id):
        for number in range(30):
            make_rows(1, route=f"r{number % 3}", locked_until=AT.replace(minute=number % 7))
        seen = walk(MIXED, 4)
        assert [r.id for r in seen] == [
            r.id for r in IdempotencyRecord.objects.order_by("route", "-locked_until", "id")
        ]


def test_page_of_neither_repeats_nor_loses_rows_when_others_arrive(ada: Person) -> None:
    with tenant_scope(ada.tenant.id):
        made = {row.id for row in make_rows(20)}
        first = page_of(IdempotencyRecord.objects.all(), order=NEWEST, limit=8, cursor=None, filters={})
        make_rows(5, locked_until=AT.replace(year=2027))
        rest = page_of(IdempotencyRecord.objects.all(), order=NEWEST, limit=100, cursor=first.next_cursor, filters={})
        assert rest.next_cursor is None
        assert [*first.items, *rest.items] == list(dict.fromkeys([*first.items, *rest.items]))
        assert {row.id for row in [*first.items, *rest.items]} == made


def test_page_of_compares_whole_rows_in_the_database(ada: Person, django_assert_num_queries: Any) -> None:
    with tenant_scope(ada.tenant.id):
        make_rows(3)
        first = page_of(IdempotencyRecord.objects.all(), order=NEWEST, limit=1, cursor=None, filters={})
        with django_assert_num_queries(1) as queries:
            page_of(IdempotencyRecord.objects.all(), order=NEWEST, limit=1, cursor=first.next_cursor, filters={})
    [sql] = [query["sql"] for query in queries.captured_queries]
    table = '"tenancy_idempotencyrecord"'
    assert f'({table}."locked_until", {table}."id") < (' in sql
    assert " OR " not in sql


def test_page_of_refuses_a_tampered_cursor(ada: Person) -> None:
    with tenant_scope(ada.tenant.id):
        make_rows(3)
        cursor = page_of(IdempotencyRecord.objects.all(), order=NEWEST, limit=1, cursor=None, filters={}).next_cursor
        assert cursor
        hostile = [cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB"), cursor[::-1], "", "%00", "é", "A" * 5_000]
        hostile += ["p=notadate", "....", cursor + "=", cursor + " ", cursor[:10]]
        for bad in hostile:
            with pytest.raises(InvalidCursor):
                page_of(IdempotencyRecord.objects.all(), order=NEWEST, limit=1, cursor=bad, filters={})


def test_page_of_refuses_the_cursor_of_another_list(ada: Person, zoe: Person) -> None:
    with tenant_scope(ada.tenant.id):
        make_rows(3)
        rows = IdempotencyRecord.objects.all()
        cursor = page_of(rows, order=NEWEST, limit=1, cursor=None, filters={"a": "1"}).next_cursor
        assert page_of(rows, order=NEWEST, limit=1, cursor=cursor, filters={"a": "1"}).items
        with pytest.raises(InvalidCursor):
            page_of(rows, order=NEWEST, limit=1, cursor=cursor, filters={"a": "2"})
        with pytest.raises(InvalidCursor):
            page_of(rows, order=(OrderColumn("locked_until"), OrderColumn("id")), limit=1, cursor=cursor, filters={})
    with tenant_scope(zoe.tenant.id), pytest.raises(InvalidCursor):
        page_of(IdempotencyRecord.objects.all(), order=NEWEST, limit=1, cursor=cursor, filters={"a": "1"})


@pytest.mark.parametrize("order", [(OrderColumn("locked_until"),), (OrderColumn("response_status"), OrderColumn("id"))])
def test_page_of_refuses_an_order_that_could_lose_rows(ada: Person, order: Any) -> None:
    with tenant_scope(ada.tenant.id), pytest.raises(PlatformError):
        page_of(IdempotencyRecord.objects.all(), order=order, limit=1, cursor=None, filters={})
