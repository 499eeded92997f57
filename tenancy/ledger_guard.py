"""Database triggers that make the ledger append-only, whoever writes; the same idea as `audit_guard`.

SQLite rebuilds a table to alter it and loses its triggers: a migration that alters this table puts the guard again.
"""

from __future__ import annotations

from django.db import connection

_TABLE = "tenancy_costrecord"
_REFUSAL = "the ledger is append-only"
LEDGER_TRIGGERS = frozenset({"ledger_no_update", "ledger_no_delete"})
# SQLite alone: INSERT OR REPLACE deletes the old row without firing its DELETE trigger.
_SQLITE_ONLY = "ledger_no_replace"
_POSTGRES_ONLY = "ledger_no_truncate"


def ledger_guard_statements(vendor: str) -> list[str]:
    """Return the statements that put the guard in place."""
    if vendor == "sqlite":
        known = f"WHEN EXISTS (SELECT 1 FROM {_TABLE} WHERE id = NEW.id) "  # noqa: S608  # fixed names
        return [
            _sqlite_trigger("ledger_no_update", "UPDATE"),
            _sqlite_trigger("ledger_no_delete", "DELETE"),
            _sqlite_trigger(_SQLITE_ONLY, "INSERT", known),
        ]
    return [
        "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
        *_postgres_trigger("ledger_no_update", "UPDATE", "ROW"),
        *_postgres_trigger("ledger_no_delete", "DELETE", "ROW"),
        *_postgres_trigger(_POSTGRES_ONLY, "TRUNCATE", "STATEMENT"),
    ]


def ledger_lift_statements(vendor: str) -> list[str]:
    """Return the statements that take the guard away (a reversed migration; tests that empty their tables)."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in sorted({*LEDGER_TRIGGERS, _SQLITE_ONLY})]
    dropped = [f"DROP TRIGGER IF EXISTS {name} ON {_TABLE}" for name in sorted({*LEDGER_TRIGGERS, _POSTGRES_ONLY})]
    return [*dropped, "DROP FUNCTION IF EXISTS ledger_refuse()"]


def missing_ledger_triggers() -> list[str]:
    """Return the names of triggers that should be there and are not (or are disabled); one query."""
    sqlite = connection.vendor == "sqlite"
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if sqlite
        else "SELECT tgname FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = {row[0] for row in cursor.fetchall()}
    return sorted({*LEDGER_TRIGGERS, _SQLITE_ONLY if sqlite else _POSTGRES_ONLY} - found)


def _sqlite_trigger(name: str, moment: str, when: str = "") -> str:
    return f"CREATE TRIGGER {name} BEFORE {moment} ON {_TABLE} {when}BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"


def _postgres_trigger(name: str, moment: str, level: str) -> list[str]:
    return [
        f"CREATE TRIGGER {name} BEFORE {moment} ON {_TABLE} FOR EACH {level} EXECUTE FUNCTION ledger_refuse()",
        # ALWAYS: fires for a replication session too (session_replication_role = replica would skip it).
        f"ALTER TABLE {_TABLE} ENABLE ALWAYS TRIGGER {name}",
    ]
