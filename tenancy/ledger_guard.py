"""Database triggers that make the ledger append-only, whoever writes; the same idea as `audit_guard`.

SQLite rebuilds a table to alter it and loses its triggers: a migration that alters this table puts the guard again.
"""

from __future__ import annotations

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
        return [f"DROP TRIGGER IF EXISTS {name}" for name in sorted(ledger_triggers("sqlite"))]
    dropped = [f"DROP TRIGGER IF EXISTS {name} ON {_TABLE}" for name in sorted(ledger_triggers(vendor))]
    return [*dropped, "DROP FUNCTION IF EXISTS ledger_refuse()"]


def ledger_triggers(vendor: str) -> set[str]:
    """Return the names of the guard's triggers."""
    return {*LEDGER_TRIGGERS, _SQLITE_ONLY if vendor == "sqlite" else _POSTGRES_ONLY}


def _sqlite_trigger(name: str, moment: str, when: str = "") -> str:
    return f"CREATE TRIGGER {name} BEFORE {moment} ON {_TABLE} {when}BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"


def _postgres_trigger(name: str, moment: str, level: str) -> list[str]:
    return [
        f"CREATE TRIGGER {name} BEFORE {moment} ON {_TABLE} FOR EACH {level} EXECUTE FUNCTION ledger_refuse()",
        # ALWAYS: fires for a replication session too (session_replication_role = replica would skip it).
        f"ALTER TABLE {_TABLE} ENABLE ALWAYS TRIGGER {name}",
    ]
