"""Database triggers that keep an incident's timeline append-only, whoever writes.

SQLite rebuilds a table to alter it and loses its triggers: a migration that alters the table puts the guard again.
"""

from __future__ import annotations

_TABLE = "observability_incidentevent"
_REFUSAL = "the timeline is append-only"
_NAMES = ("incident_event_no_update", "incident_event_no_delete", "incident_event_no_replace")


def timeline_guard_statements(vendor: str) -> list[str]:
    """Return the statements that put the guard in place."""
    update, delete, replace = _NAMES
    if vendor == "sqlite":
        known = f"WHEN EXISTS (SELECT 1 FROM {_TABLE} WHERE id = NEW.id) "  # noqa: S608  # fixed names
        return [_sqlite(update, "UPDATE"), _sqlite(delete, "DELETE"), _sqlite(replace, "INSERT", known)]
    return [
        "CREATE OR REPLACE FUNCTION timeline_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
        *_postgres(update, "UPDATE", "ROW"),
        *_postgres(delete, "DELETE", "ROW"),
        *_postgres(replace, "TRUNCATE", "STATEMENT"),
    ]


def timeline_lift_statements(vendor: str) -> list[str]:
    """Return the statements that take the guard away (a reversed migration; tests that empty their tables)."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in _NAMES]
    dropped = [f"DROP TRIGGER IF EXISTS {name} ON {_TABLE}" for name in _NAMES]
    return [*dropped, "DROP FUNCTION IF EXISTS timeline_refuse()"]


def timeline_triggers(_vendor: str) -> set[str]:
    """Return the names of the guard's triggers; every kind of database has the same."""
    return set(_NAMES)


def _sqlite(name: str, moment: str, when: str = "") -> str:
    return f"CREATE TRIGGER {name} BEFORE {moment} ON {_TABLE} {when}BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"


def _postgres(name: str, moment: str, level: str) -> list[str]:
    return [
        f"CREATE TRIGGER {name} BEFORE {moment} ON {_TABLE} FOR EACH {level} EXECUTE FUNCTION timeline_refuse()",
        # ALWAYS: fires for a replication session too (session_replication_role = replica would skip it).
        f"ALTER TABLE {_TABLE} ENABLE ALWAYS TRIGGER {name}",
    ]
