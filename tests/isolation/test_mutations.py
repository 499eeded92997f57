"""A tenant filter that someone forgets leaks nothing on PostgreSQL, whichever it is."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.isolation.crawl import clients_of, differences, told_by_words, told_in_lists
from tests.isolation.mutations import TenantFilter, tenant_filters, without
from tests.isolation.world import make_world, rows_of

pytestmark = pytest.mark.django_db
FILTERS = tenant_filters()
postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row-level security")


def leaks(filters: list[TenantFilter]) -> list[str]:
    world = make_world()
    before = rows_of(world.owner.tenant)
    clients = {name: client for name, client in clients_of(world).items() if name.startswith("admin")}
    with without(filters):
        found = differences(world, clients) + told_in_lists(world, clients) + told_by_words(world)
    return found + [
        f"rows of {table} changed" for table, rows in rows_of(world.owner.tenant).items() if rows != before[table]
    ]


def test_the_filters_are_found() -> None:
    """At least these: the manager's, which is in every query, and those of tables that have no such manager."""
    found = {found.function for found in FILTERS}
    assert {"TenantManager.get_queryset", "keys_of", "task_visible_to", "_locked_key", "_holder"} <= found


@pytest.mark.journey
@pytest.mark.skipif(connection.vendor == "postgresql", reason="there row-level security answers")
def test_the_crawl_sees_what_a_forgotten_filter_lets_out() -> None:
    """On SQLite the code's filters carry alone, so the crawl must notice that they are gone."""
    told = " ".join(leaks(FILTERS))
    assert "/api/v1/claims/<uuid:claim_id> for another tenant's claim" in told
    assert "/api/v1/claims tells borealis" in told and "/api/v1/api-keys tells key" in told
    assert "post /api/v1/api-keys takes another tenant's object" in told
    assert "/api/v1/tasks/<uuid:task_id> for another tenant's task" in told


@postgresql
def test_all_filters_forgotten_at_once_let_nothing_out() -> None:
    assert leaks(FILTERS) == []


@postgresql
@pytest.mark.harness
@pytest.mark.parametrize("forgotten", FILTERS, ids=str)
def test_one_forgotten_filter_lets_nothing_out(forgotten: TenantFilter) -> None:
    assert leaks([forgotten]) == []
