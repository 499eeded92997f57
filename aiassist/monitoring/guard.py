"""Database triggers that make the monitoring's own history append-only, whoever writes; as `tenancy.audit_guard`.

What was said of the AI's health must not become better afterwards.
"""

from __future__ import annotations

_TABLES = {
    "health_report": "aiassist_healthreport",
    "drift_look": "aiassist_driftlook",
    "drift_reference": "aiassist_driftreference",
}
_REFUSAL = "the history of model health is append-only"
_CHANGES = ("UPDATE", "DELETE")


def health_guard_statements(vendor: str) -> list[str]:
    """Return the statements that put the guard in place."""
    if vendor == "sqlite":
        return [statement for name, table in _TABLES.items() for statement in _sqlite_triggers(name, table)]
    return [
        "CREATE OR REPLACE FUNCTION model_health_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
        *(statement for name, table in _TABLES.items() for statement in _postgres_triggers(name, table)),
    ]


def health_lift_statements(vendor: str) -> list[str]:
    """Return the statements that take the guard away (a reversed migration; tests that empty their tables)."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {trigger}" for trigger in sorted(health_triggers("sqlite"))]
    dropped = [
        f"DROP TRIGGER IF EXISTS {name}_no_{change} ON {table}"
        for name, table in _TABLES.items()
        for change in ("update", "delete", "truncate")
    ]
    return [*dropped, "DROP FUNCTION IF EXISTS model_health_refuse()"]


def health_triggers(vendor: str) -> set[str]:
    """Return the names of the guard's triggers. SQLite alone needs the third: INSERT OR REPLACE deletes in silence."""
    last = "replace" if vendor == "sqlite" else "truncate"
    return {f"{name}_no_{change}" for name in _TABLES for change in ("update", "delete", last)}


def _sqlite_triggers(name: str, table: str) -> list[str]:
    end = f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    known = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # noqa: S608  # fixed names
    return [
        *(f"CREATE TRIGGER {name}_no_{change.lower()} BEFORE {change} ON {table} {end}" for change in _CHANGES),
        f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {table} {known} {end}",
    ]


def _postgres_triggers(name: str, table: str) -> list[str]:
    statements = []
    for change, level in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        trigger = f"{name}_no_{change.lower()}"
        statements += [
            f"CREATE TRIGGER {trigger} BEFORE {change} ON {table} FOR EACH {level} "
            "EXECUTE FUNCTION model_health_refuse()",
            # ALWAYS: fires for a replication session too (session_replication_role = replica would skip it).
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}",
        ]
    return statements
