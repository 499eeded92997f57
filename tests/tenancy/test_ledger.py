"""The ledger: exact, the tenant's own, and only ever added to, whoever writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from observability.context import work_context
from observability.errors import PlatformError
from tenancy.choices import CostCategory
from tenancy.errors import MissingTenantScope
from tenancy.ledger import ModelCall, record_cost, spent_usd
from tenancy.ledger_guard import LEDGER_TRIGGERS
from tenancy.models import CostRecord, User
from tenancy.scope import tenant_scope
from tests.observability.work import NOON
from tests.people import Person

JOB = "0192f1d0-0000-7000-8000-000000000001"


def call(amount: str = "0.001234567") -> ModelCall:
    return ModelCall(CostCategory.THIRD_PARTY, "openai", "gpt-4o-mini", 321, 45, Decimal(amount), "2026-11")


def recorded(person: Person, amount: str = "0.001234567") -> CostRecord:
    with tenant_scope(person.tenant.id):
        return record_cost(call=call(amount), reference="claim-1", now=NOON)


def test_record_cost_keeps_every_billionth_and_what_it_was_for(ada: Person) -> None:
    with work_context(job_id=JOB):
        recorded(ada)
    with tenant_scope(ada.tenant.id):
        row = CostRecord.objects.get()
    assert (row.amount_usd, row.input_tokens, row.output_tokens) == (Decimal("0.001234567"), 321, 45)
    assert (row.reference, row.job_id, row.at, row.estimated) == ("claim-1", UUID(JOB), NOON, False)


def test_spent_usd_is_the_exact_sum_of_the_tenants_own_records(ada: Person, zoe: Person) -> None:
    for _ in range(10):
        recorded(ada, "0.1")
    recorded(zoe, "5")
    with tenant_scope(ada.tenant.id):
        assert spent_usd(since=NOON, until=NOON + timedelta(seconds=1)) == Decimal(1)
        assert spent_usd(since=NOON - timedelta(days=1), until=NOON) == Decimal(0)


def test_record_cost_needs_a_tenant(ada: Person) -> None:
    with pytest.raises(MissingTenantScope):
        record_cost(call=call(), reference="", now=NOON)


def test_a_cost_is_never_negative(ada: Person) -> None:
    with tenant_scope(ada.tenant.id), pytest.raises(IntegrityError):
        record_cost(call=call("-1"), reference="", now=NOON)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda row: row.save(),
        lambda row: row.delete(),
        lambda row: CostRecord.objects.all().delete(),
        lambda row: CostRecord.objects.update(amount_usd=0),
        lambda row: CostRecord.objects.bulk_update([row], ["amount_usd"]),
        lambda row: CostRecord.objects.bulk_create([row]),
    ],
)
def test_the_ledger_cannot_be_rewritten_by_the_orm(ada: Person, rewrite: Callable[[CostRecord], object]) -> None:
    row = recorded(ada)
    with tenant_scope(ada.tenant.id):
        with pytest.raises(PlatformError) as caught:
            rewrite(row)
        assert caught.value.code == "ledger_append_only"
        assert CostRecord.objects.get().amount_usd == row.amount_usd


RAW = ["UPDATE tenancy_costrecord SET amount_usd = 0", "DELETE FROM tenancy_costrecord"]
RAW_SQLITE = ["INSERT OR REPLACE INTO tenancy_costrecord SELECT * FROM tenancy_costrecord"]
RAW_POSTGRES = ["TRUNCATE tenancy_costrecord CASCADE"]


@pytest.mark.parametrize("statement", RAW + (RAW_SQLITE if connection.vendor == "sqlite" else RAW_POSTGRES))
def test_the_ledger_cannot_be_rewritten_by_raw_sql(ada: Person, statement: str) -> None:
    recorded(ada)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # no TRUNCATE while keys of earlier rows wait to be checked
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with tenant_scope(ada.tenant.id):
            cursor.execute(statement)


@pytest.mark.django_db
def test_the_guard_is_there_after_all_migrations() -> None:
    catalogue = "sqlite_master" if connection.vendor == "sqlite" else "pg_trigger"
    column = "name" if connection.vendor == "sqlite" else "tgname"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {catalogue}")
        found = {row[0] for row in cursor.fetchall()}
    assert found >= LEDGER_TRIGGERS


def test_the_admin_shows_the_ledger_and_changes_nothing(ada: Person) -> None:
    row = recorded(ada)
    browser = Client()
    browser.force_login(User.objects.create_user("root", is_superuser=True, is_staff=True))
    assert "gpt-4o-mini" in browser.get("/admin/tenancy/costrecord/").content.decode()
    page = f"/admin/tenancy/costrecord/{row.pk}/change/"
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"amount_usd": "0"}).status_code == 403
    assert browser.get("/admin/tenancy/costrecord/add/").status_code == 403
