"""Database triggers that make the audit trail append-only, whoever writes: ORM, bulk paths, raw SQL, the console.

They stop mistakes and careless hands; an owner of the database can drop them, which is what `verify_audit` is for.
SQLite rebuilds a table to alter it and loses its triggers with the old one: a migration that alters these tables runs
`guard_statements` again (a test looks for the triggers after all migrations).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from tenancy.guards import missing_of


@dataclass(frozen=True)
class _Guarded:
    """A table whose rows are never changed, and what SQLite must not find twice (beside the id)."""

    table: str
    unique: tuple[tuple[str, ...], ...] = ()

    @property
    def stem(self) -> str:
        return self.table.removeprefix("tenancy_audit")


_TABLES = (
    _Guarded("tenancy_auditevent"),
    _Guarded("tenancy_auditplace", (("event_id",), ("tenant_id", "seq"))),
    _Guarded("tenancy_auditseal", (("tenant_id", "number"),)),
    _Guarded("tenancy_auditnode", (("tenant_id", "level", "position"),)),
)
_HEAD = _Guarded("tenancy_audithead", (("tenant_id",),))
# The head moves on by one seal and by what that seal added.
_NOT_FORWARD = (
    "NEW.seq < OLD.seq OR NEW.seal_number <> OLD.seal_number + 1 OR NEW.tenant_id <> OLD.tenant_id OR NEW.id <> OLD.id"
)


def guard_statements(vendor: str) -> list[str]:
    """Return the statements that put the guard in place."""
    if vendor == "sqlite":
        return [_sqlite_trigger(*trigger) for trigger in _triggers(vendor)]
    function = (
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation'; END $$"
    )
    return [function, *(sql for trigger in _triggers(vendor) for sql in _postgres_trigger(*trigger))]


def lift_statements(vendor: str) -> list[str]:
    """Return the statements that take the guard away (a reversed migration; tests that empty their tables)."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name, *_ in _triggers(vendor)]
    dropped = [f"DROP TRIGGER IF EXISTS {name} ON {table}" for name, table, *_ in _triggers(vendor)]
    return [*dropped, "DROP FUNCTION IF EXISTS audit_refuse()"]


def audit_triggers(vendor: str) -> set[str]:
    """Return the names of the guard's triggers."""
    return {name for name, *_ in _triggers(vendor)}


def missing_triggers() -> list[str]:
    """Return the names of triggers that should be there and are not (or are disabled); one query."""
    return missing_of(audit_triggers(connection.vendor))


def _triggers(vendor: str) -> list[tuple[str, str, str, str]]:
    """Return (name, table, moment, condition) of every trigger."""
    found = []
    for guarded in (*_TABLES, _HEAD):
        stem, table = f"audit_{guarded.stem}", guarded.table
        if guarded is _HEAD:
            found.append((f"{stem}_forward_only", table, "UPDATE", _NOT_FORWARD))
        else:
            found.append((f"{stem}_no_update", table, "UPDATE", ""))
        found.append((f"{stem}_no_delete", table, "DELETE", ""))
        if vendor == "sqlite":  # INSERT OR REPLACE deletes the old row without firing its DELETE trigger
            found.append((f"{stem}_no_replace", table, "INSERT", _known(guarded)))
        else:
            found.append((f"{stem}_no_truncate", table, "TRUNCATE", ""))
    return found


def _known(guarded: _Guarded) -> str:
    keys = [" AND ".join(f"{column} = NEW.{column}" for column in key) for key in (("id",), *guarded.unique)]
    found = " OR ".join(f"({key})" for key in keys)
    return f"EXISTS (SELECT 1 FROM {guarded.table} WHERE {found})"  # noqa: S608  # fixed names


def _sqlite_trigger(name: str, table: str, moment: str, condition: str) -> str:
    when = f"WHEN {condition} " if condition else ""
    refusal = "SELECT RAISE(ABORT, 'the audit trail is append-only');"
    return f"CREATE TRIGGER {name} BEFORE {moment} ON {table} {when}BEGIN {refusal} END"


def _postgres_trigger(name: str, table: str, moment: str, condition: str) -> list[str]:
    when = f"WHEN ({condition}) " if condition else ""
    level = "STATEMENT" if moment == "TRUNCATE" else "ROW"
    return [
        f"CREATE TRIGGER {name} BEFORE {moment} ON {table} FOR EACH {level} {when}EXECUTE FUNCTION audit_refuse()",
        # ALWAYS: fires for a replication session too (session_replication_role = replica would skip it).
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
    ]
