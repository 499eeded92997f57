"""What PostgreSQL itself keeps apart, tried by raw SQL, past every filter of the code."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from claims.models import Claim, VideoFile
from tenancy.errors import MissingTenantScope
from tenancy.scope import every_tenant, tenant_scope
from tests.files import make_claim
from tests.people import Person

postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row-level security")


def ask(sql: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]


def change(sql: str, *parameters: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


NUMBERS = "SELECT claim_number FROM claims_claim ORDER BY claim_number"
SETTING = "SELECT coalesce(current_setting('app.tenant_id', true), '')"


@pytest.fixture
def two(ada: Person, zoe: Person) -> tuple[Claim, Claim]:
    return make_claim(ada, "ACME-1"), make_claim(zoe, "BOREALIS-1")


@postgresql
def test_rows_are_seen_in_their_tenants_scope_alone(ada: Person, zoe: Person, two: tuple[Claim, Claim]) -> None:
    assert ask(NUMBERS) == []
    with tenant_scope(ada.tenant.id):
        assert ask(NUMBERS) == ["ACME-1"]
        with tenant_scope(zoe.tenant.id):
            assert ask(NUMBERS) == ["BOREALIS-1"]
        with every_tenant("test"):
            assert ask(NUMBERS) == ["ACME-1", "BOREALIS-1"]
        assert ask(NUMBERS) == ["ACME-1"]
    assert ask(NUMBERS) == []


@postgresql
def test_rows_of_another_tenant_are_not_written(ada: Person, zoe: Person, two: tuple[Claim, Claim]) -> None:
    own, theirs = two
    with tenant_scope(ada.tenant.id):
        assert change("UPDATE claims_claim SET policy_number = 'x' WHERE id = %s", theirs.id) == 0
        assert change("DELETE FROM claims_claim WHERE id = %s", theirs.id) == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            change("UPDATE claims_claim SET tenant_id = %s WHERE id = %s", zoe.tenant.id, own.id)
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            change(
                "INSERT INTO tenancy_audithead (id, tenant_id, seq, hash) VALUES (%s, %s, 1, '')", own.id, zoe.tenant.id
            )


def test_a_row_is_not_tied_to_another_tenants(ada: Person, two: tuple[Claim, Claim]) -> None:
    """The database's own check of a foreign key looks past row-level security; the key with the tenant does not."""
    own, theirs = two
    with pytest.raises(IntegrityError), transaction.atomic():
        with tenant_scope(ada.tenant.id):
            change("UPDATE claims_claim SET video_id = %s WHERE id = %s", _key(theirs.video_id), _key(own.id))
        connection.check_constraints()


@postgresql
def test_a_new_key_looks_at_the_rows_that_are_there(ada: Person, two: tuple[Claim, Claim]) -> None:
    own, theirs = two
    (key,) = [c for c in Claim._meta.constraints if c.name == "claims_claim_video_tenant"]
    change("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.schema_editor() as editor:
        editor.remove_constraint(Claim, key)
    with tenant_scope(ada.tenant.id):
        change("UPDATE claims_claim SET video_id = %s WHERE id = %s", theirs.video_id, own.id)
    with connection.schema_editor() as editor:
        editor.add_constraint(Claim, key)
        with pytest.raises(IntegrityError), transaction.atomic():
            editor.execute(editor.deferred_sql.pop())


def _key(value: UUID) -> Any:
    return value.hex if connection.vendor == "sqlite" else value


@postgresql
@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_on_the_connection(ada: Person, two: tuple[Claim, Claim]) -> None:
    with tenant_scope(ada.tenant.id):
        assert ask(SETTING) == [str(ada.tenant.id)]
    with every_tenant("test"):
        assert ask("SELECT current_user") == ["claimwright_operations"]
    assert ask(SETTING) == [""] and ask("SELECT current_user = session_user") == [True]
    with transaction.atomic():
        with tenant_scope(ada.tenant.id):
            assert ask(NUMBERS) == ["ACME-1"]
        assert ask(NUMBERS) == [] and ask(SETTING) == [""]
    with pytest.raises(DatabaseError), tenant_scope(ada.tenant.id):
        ask("SELECT 1 / 0")
    assert ask(SETTING) == [""]


@postgresql
@pytest.mark.django_db(transaction=True)
def test_savepoints_and_hooks_see_the_scope_they_run_in(ada: Person, zoe: Person, two: tuple[Claim, Claim]) -> None:
    seen: list[list[str]] = []
    with tenant_scope(ada.tenant.id), transaction.atomic():
        transaction.on_commit(lambda: seen.append(ask(NUMBERS)))
        with pytest.raises(ZeroDivisionError), transaction.atomic(), tenant_scope(zoe.tenant.id):
            assert ask(NUMBERS) == ["BOREALIS-1"]
            raise ZeroDivisionError
        assert ask(NUMBERS) == ["ACME-1"]
        with pytest.raises(DatabaseError), transaction.atomic(), tenant_scope(zoe.tenant.id):
            ask("SELECT 1 / 0")
        assert ask(NUMBERS) == ["ACME-1"]
    assert seen == [["ACME-1"]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("open_transaction", [True, False])
def test_rows_that_are_fetched_bit_by_bit_are_the_tenants(ada: Person, zoe: Person, *, open_transaction: bool) -> None:
    for number in range(3):
        make_claim(ada, f"ACME-{number}")
        make_claim(zoe, f"BOREALIS-{number}")

    def numbers() -> list[str]:
        rows = Claim.objects.order_by("claim_number").values_list("claim_number", flat=True)
        return list(rows.iterator(chunk_size=1))

    with tenant_scope(ada.tenant.id):
        if not open_transaction:
            assert numbers() == ["ACME-0", "ACME-1", "ACME-2"]
            return
        with transaction.atomic():
            assert numbers() == ["ACME-0", "ACME-1", "ACME-2"]


@postgresql
@pytest.mark.django_db(transaction=True)
def test_many_statements_in_one_call_carry_the_tenant(ada: Person, zoe: Person, two: tuple[Claim, Claim]) -> None:
    own, theirs = two
    with tenant_scope(ada.tenant.id), connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE claims_claim SET policy_number = %s WHERE id = %s", [("x", own.id), ("x", theirs.id)]
        )
        with cursor.copy("COPY (SELECT claim_number FROM claims_claim) TO STDOUT") as rows:
            assert [bytes(row) for row in rows] == [b"ACME-1\n"]
    with every_tenant("test"):
        assert ask("SELECT policy_number FROM claims_claim ORDER BY claim_number") == ["x", ""]


@postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("open_transaction", [False, True])
def test_streamed_rows_are_the_tenants(
    ada: Person, zoe: Person, two: tuple[Claim, Claim], *, open_transaction: bool
) -> None:
    with tenant_scope(ada.tenant.id), transaction.atomic() if open_transaction else nullcontext():
        with connection.cursor() as cursor:
            assert list(cursor.cursor.stream(NUMBERS, size=100)) == [("ACME-1",)]
            rows = cursor.cursor.stream("SELECT generate_series(1, 9)", size=2)
            assert next(rows) == (1,)
            with pytest.raises(DatabaseError, match="still being read"):
                ask(NUMBERS)
            assert len(list(rows)) == 8
        assert ask(NUMBERS) == ["ACME-1"]
    if not open_transaction:
        assert ask(SETTING) == [""]


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_share_a_scope(ada: Person, zoe: Person, two: tuple[Claim, Claim]) -> None:
    def numbers(tenant_id: UUID) -> set[str]:
        try:
            with tenant_scope(tenant_id):
                return {number for _ in range(25) for number in Claim.objects.values_list("claim_number", flat=True)}
        finally:
            connection.close()

    tenants = [ada.tenant.id, zoe.tenant.id] * 4
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(numbers, tenants)) == [{"ACME-1"}, {"BOREALIS-1"}] * 4


def test_a_query_that_is_run_outside_its_scope_is_refused(ada: Person, two: tuple[Claim, Claim]) -> None:
    """Row-level security would answer with no rows, which looks like an empty table."""
    with tenant_scope(ada.tenant.id):
        rows = VideoFile.objects.all()
    for run in (list, lambda r: r.count(), lambda r: r.exists(), lambda r: r.first(), lambda r: r.update(codec="x")):
        with pytest.raises(MissingTenantScope):
            run(rows)


@postgresql
def test_the_carried_setting_is_no_query_of_its_own(
    ada: Person, two: tuple[Claim, Claim], django_assert_num_queries: Any
) -> None:
    with tenant_scope(ada.tenant.id), django_assert_num_queries(1):
        assert Claim.objects.count() == 1
