"""Tries what must not work, with real rows, in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseProblem
from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from observability.ids import new_id
from tenancy.models import IdempotencyRecord, Tenant
from tenancy.scope import every_tenant, tenant_scope


class _Undo(Exception):
    """Ends a trial by rolling it back; no error."""


def try_other_tenants_rows(tables: Sequence[type[models.Model]]) -> tuple[int, list[str]]:
    """Return how many attempts were made, and those that succeeded.

    One row of each table that has any is looked for by raw SQL in the scope of a tenant that is not its own, and in
    none. Raw SQL, because the code's own filters are not what is tried here.
    """
    tried, reached = 0, []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            stranger = _rows_of_two_tenants()
            for model in tables:
                row = _any_row(cursor, model._meta.db_table)
                if row is not None:
                    tried += 1
                    reached += _reach(cursor, model._meta.db_table, row, stranger)
            tried += 1
            reached += _plant(cursor, stranger)
            raise _Undo
    except _Undo:
        return tried, reached


def _rows_of_two_tenants() -> UUID:
    """Make two tenants, so that an empty database can be tried; return the one that owns nothing."""
    now = timezone.now()
    owner, stranger = (
        Tenant.objects.create(slug=f"isolation-{new_id().hex[:24]}", name="Isolation trial") for _ in range(2)
    )
    with tenant_scope(owner.id):
        IdempotencyRecord.objects.create(principal_id=new_id(), route="r", key="k", locked_until=now, expires_at=now)
    return stranger.id


def _any_row(cursor: CursorWrapper, table: str) -> UUID | None:
    with every_tenant("check_isolation looks for a row that it must not reach"):
        cursor.execute(f"SELECT id FROM {_quoted(table)} LIMIT 1")  # noqa: S608  # a model's table
        found = cursor.fetchone()
    return found[0] if found else None


def _reach(cursor: CursorWrapper, table: str, row: UUID, stranger: UUID) -> list[str]:
    name, where = _quoted(table), "WHERE id = %s"
    attempts = {
        "is seen": f"SELECT 1 FROM {name} {where}",  # noqa: S608  # a model's table
        "is changed": f"UPDATE {name} SET id = id {where}",  # noqa: S608
        "is deleted": f"DELETE FROM {name} {where}",  # noqa: S608
    }
    reached = []
    for what, statement in attempts.items():
        with tenant_scope(stranger):
            if _touches(cursor, statement, [row]):
                reached.append(f"{table}: another tenant's row {what}")
        if _touches(cursor, statement, [row]):
            reached.append(f"{table}: a row {what} without a tenant")
    return reached


def _touches(cursor: CursorWrapper, statement: str, parameters: list[Any]) -> bool:
    """Whether the statement met a row. A trigger's or a key's refusal is one that a row-level check let through."""
    try:
        with transaction.atomic():
            cursor.execute(statement, parameters)
            return bool(cursor.rowcount)
    except DatabaseProblem:
        return True


def _plant(cursor: CursorWrapper, stranger: UUID) -> list[str]:
    """Try to write a row for another tenant."""
    now = timezone.now()
    table = _quoted(IdempotencyRecord._meta.db_table)
    columns = "id, tenant_id, principal_id, route, key, fingerprint, locked_until, expires_at, response_headers"
    try:
        with transaction.atomic(), tenant_scope(new_id()):
            cursor.execute(
                f"INSERT INTO {table} ({columns}) VALUES (%s, %s, %s, 'r', 'k', '', %s, %s, '{{}}')",  # noqa: S608
                [new_id(), stranger, new_id(), now, now],
            )
    except DatabaseProblem as refusal:
        return [] if "row-level security" in str(refusal) else [f"writing for another tenant: {refusal}"]
    return ["a row is written for another tenant"]


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)
