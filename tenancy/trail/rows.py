"""What writing and sealing put into PostgreSQL, each by one statement. SQLite, which seals as it writes, has the ORM's.

An event and a seal of thousands are what limits a busy tenant, and most of what they cost was Django making model
instances and SQL. The tenant comes along with every statement as everywhere (`tenancy/postgresql/base.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from tenancy.models import AuditEvent
from tenancy.scope import current_tenant_id


def insert_awaiting(event: AuditEvent) -> None:
    """Write the event of the open transaction with the mark that it awaits its seal."""
    values = [getattr(event, name) for name in _EVENT_COLUMNS]  # as the driver takes them
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [*values, event.at])
    event._state.adding, event._state.db = False, connection.alias


# The parameters of `audit_record` (migration 0021), in their order, and when the event was written.
_EVENT_COLUMNS = tuple(str(field.column) for field in AuditEvent._meta.concrete_fields)
_RECORD = f"SELECT audit_record({', '.join(['%s'] * (len(_EVENT_COLUMNS) + 1))})"

_PLACES = (
    "INSERT INTO tenancy_auditplace (id, tenant_id, event_id, seq, previous_hash, hash) "
    "SELECT given.event_id, %s, given.event_id, %s + given.number, "
    "lag(given.hash, 1, %s) OVER (ORDER BY given.number), given.hash "
    "FROM unnest(string_to_array(%s, ',')::uuid[], string_to_array(%s, ',')) "
    "WITH ORDINALITY AS given (event_id, hash, number)"
)
# How the commit checks that each event is there is planned once a session. While a trail is young, reading all of it is
# the cheaper plan, and would be kept while it grows.
_BY_KEY = "SET LOCAL enable_seqscan = off"
_TAKE_MARKS = "DELETE FROM tenancy_auditunsealed WHERE event_id = ANY(string_to_array(%s, ',')::uuid[])"


def insert_places(event_ids: Sequence[UUID], hashes: Sequence[str], *, size: int, previous_hash: str) -> None:
    """Give the events, in this order, the places after the first `size`, and take away their marks."""
    events = ",".join(map(str, event_ids))
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY)
        cursor.execute(_PLACES, [current_tenant_id(), size, previous_hash, events, ",".join(hashes)])
        cursor.execute(_TAKE_MARKS, [events])
