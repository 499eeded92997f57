"""The guard as it was until seals came; migrations alone use it, so that they stay what they were."""

from __future__ import annotations

_EVENTS, _HEADS = "tenancy_auditevent", "tenancy_audithead"
TRIGGERS = frozenset(
    {
        "audit_event_no_update",
        "audit_event_no_delete",
        "audit_head_forward_only",
        "audit_head_no_delete",
    }
)
# SQLite alone: INSERT OR REPLACE deletes the old row without firing its DELETE trigger.
_SQLITE_TRIGGERS = frozenset({"audit_event_no_replace", "audit_head_no_replace"})
_POSTGRES_TRIGGERS = frozenset({"audit_event_no_truncate", "audit_head_no_truncate"})
_FORWARD = "NEW.seq <> OLD.seq + 1 OR NEW.tenant_id <> OLD.tenant_id OR NEW.id <> OLD.id"


def guard_statements(vendor: str) -> list[str]:
    """Return the statements that put the guard in place."""
    return _SQLITE if vendor == "sqlite" else _POSTGRES


def lift_statements(vendor: str) -> list[str]:
    """Return the statements that take the guard away (a reversed migration; tests that empty their tables)."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in sorted(TRIGGERS | _SQLITE_TRIGGERS)]
    dropped = [f"DROP TRIGGER IF EXISTS {name} ON {_table_of(name)}" for name in sorted(TRIGGERS | _POSTGRES_TRIGGERS)]
    return [*dropped, "DROP FUNCTION IF EXISTS audit_refuse()"]


def _table_of(trigger: str) -> str:
    return _EVENTS if trigger.startswith("audit_event") else _HEADS


def _sqlite_trigger(name: str, moment: str, condition: str = "") -> str:
    when = f"WHEN {condition} " if condition else ""
    refusal = "SELECT RAISE(ABORT, 'the audit trail is append-only');"
    return f"CREATE TRIGGER {name} BEFORE {moment} ON {_table_of(name)} {when}BEGIN {refusal} END"


def _postgres_trigger(name: str, moment: str, level: str = "ROW", condition: str = "") -> list[str]:
    when = f"WHEN ({condition}) " if condition else ""
    return [
        f"CREATE TRIGGER {name} BEFORE {moment} ON {_table_of(name)} FOR EACH {level} {when}"
        "EXECUTE FUNCTION audit_refuse()",
        # ALWAYS: fires for a replication session too (session_replication_role = replica would skip it).
        f"ALTER TABLE {_table_of(name)} ENABLE ALWAYS TRIGGER {name}",
    ]


def _known(table: str, key: str) -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR ({key}))"  # noqa: S608  # fixed names


_SQLITE = [
    _sqlite_trigger("audit_event_no_update", "UPDATE"),
    _sqlite_trigger("audit_event_no_delete", "DELETE"),
    _sqlite_trigger("audit_event_no_replace", "INSERT", _known(_EVENTS, "tenant_id = NEW.tenant_id AND seq = NEW.seq")),
    _sqlite_trigger("audit_head_forward_only", "UPDATE", _FORWARD),
    _sqlite_trigger("audit_head_no_delete", "DELETE"),
    _sqlite_trigger("audit_head_no_replace", "INSERT", _known(_HEADS, "tenant_id = NEW.tenant_id")),
]
_POSTGRES = [
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'restrict_violation'; END $$",
    *_postgres_trigger("audit_event_no_update", "UPDATE"),
    *_postgres_trigger("audit_event_no_delete", "DELETE"),
    *_postgres_trigger("audit_event_no_truncate", "TRUNCATE", "STATEMENT"),
    *_postgres_trigger("audit_head_forward_only", "UPDATE", condition=_FORWARD),
    *_postgres_trigger("audit_head_no_delete", "DELETE"),
    *_postgres_trigger("audit_head_no_truncate", "TRUNCATE", "STATEMENT"),
]
