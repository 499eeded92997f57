"""What writing and sealing put into PostgreSQL, each by one statement. SQLite, which seals as it writes, has the ORM's.

An event and a seal of thousands are what limits a busy tenant, and most of what they cost was Django making model
instances and SQL. The tenant comes along with every statement as everywhere (`tenancy/postgresql/base.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from django.db import connection

from tenancy.models import AuditEvent
from tenancy.scope import current_tenant_id


def insert_awaiting(event: AuditEvent) -> None:
    """Write the event of the open transaction with the mark that it awaits its seal."""
    values = [getattr(event, str(field.attname)) for field in event._meta.concrete_fields]  # as the driver takes them
    with connection.cursor() as cursor:
        cursor.execute(_event_sql(), [*values, event.id, event.tenant_id, event.leaf_hash, event.at])
    event._state.adding, event._state.db = False, connection.alias


@cache
def _event_sql() -> str:
    columns = [str(field.column) for field in AuditEvent._meta.concrete_fields]
    names, values = ", ".join(columns), ", ".join(["%s"] * len(columns))
    return (
        f"WITH event AS (INSERT INTO tenancy_auditevent ({names}) VALUES ({values})) "  # noqa: S608  # fixed names
        "INSERT INTO tenancy_auditunsealed (event_id, tenant_id, leaf_hash, xid, written_at) "
        "VALUES (%s, %s, %s, pg_current_xact_id()::text::bigint, %s)"
    )


_PLACES = (
    "INSERT INTO tenancy_auditplace (id, tenant_id, event_id, seq, previous_hash, hash) "
    "SELECT given.event_id, %s, given.event_id, %s + given.number, "
    "lag(given.hash, 1, %s) OVER (ORDER BY given.number), given.hash "
    "FROM unnest(string_to_array(%s, ',')::uuid[], string_to_array(%s, ',')) "
    "WITH ORDINALITY AS given (event_id, hash, number)"
)
_TAKE_MARKS = "DELETE FROM tenancy_auditunsealed WHERE event_id = ANY(string_to_array(%s, ',')::uuid[])"


def insert_places(event_ids: Sequence[UUID], hashes: Sequence[str], *, size: int, previous_hash: str) -> None:
    """Give the events, in this order, the places after the first `size`, and take away their marks."""
    events = ",".join(map(str, event_ids))
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, [current_tenant_id(), size, previous_hash, events, ",".join(hashes)])
        cursor.execute(_TAKE_MARKS, [events])
