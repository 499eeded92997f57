"""What the database's catalogue says about policies, keys, and ways around them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from django.conf import settings
from django.db import connection, models

from tenancy.owned import TenantOwned
from tenancy.row_security import (
    NO_TENANT_OR_MATCHES,
    NO_TENANT_OR_TEXT_MATCHES,
    OPERATIONS_POLICY,
    TENANT_MATCHES,
    TENANT_POLICY,
)

PUBLIC = "public"  # every role
# As the server prints an expression: casts, brackets and spaces that it adds.
_PRINTED = re.compile(r'\s|[()]|::text|::name|as\s*"?nullif"?', re.IGNORECASE)
Ties: TypeAlias = "Mapping[type[TenantOwned], Sequence[models.ForeignKey[Any, Any]]]"


def rules_of(model: type[models.Model]) -> dict[str, tuple[str, str]]:
    """Return the policies that the model's table must have: for which role, and its rule."""
    role = settings.DATABASE_OPERATIONS_ROLE
    if issubclass(model, TenantOwned):
        own = (PUBLIC, TENANT_MATCHES)
        return {TENANT_POLICY: own, OPERATIONS_POLICY: (role, f"current_user = '{role}'")}
    by_text = any(field.column == "tenant_ref" for field in model._meta.concrete_fields)
    return {TENANT_POLICY: (PUBLIC, NO_TENANT_OR_TEXT_MATCHES if by_text else NO_TENANT_OR_MATCHES)}


def policy_findings(tables: Sequence[type[models.Model]]) -> list[str]:
    """Return what differs from the policies, enabled and forced, that each table must have."""
    state = {
        name: (enabled, forced)
        for name, enabled, forced in _rows(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
        )
    }
    policies: dict[str, dict[str, tuple[Any, ...]]] = {}
    for table, name, *rest in _rows(
        "SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies"
        " WHERE schemaname = current_schema()"
    ):
        policies.setdefault(table, {})[name] = tuple(rest)
    findings = []
    for model in tables:
        table = model._meta.db_table
        enabled, forced = state.get(table, (False, False))
        findings += [] if enabled else [f"{table}: row-level security is not enabled"]
        findings += [] if forced else [f"{table}: row-level security is not forced on the owner"]
        findings += _policy_differences(table, rules_of(model), policies.get(table, {}))
    return findings


def _policy_differences(
    table: str, rules: Mapping[str, tuple[str, str]], found: Mapping[str, tuple[Any, ...]]
) -> list[str]:
    findings = [f"{table}: policy {name} should not be there" for name in sorted(found.keys() - rules.keys())]
    for name, (to, rule) in rules.items():
        if name not in found:
            findings.append(f"{table}: policy {name} is missing")
            continue
        permissive, roles, command, visible, writable = found[name]
        same_rule = _plain(visible) == _plain(rule) == _plain(writable)
        if not (same_rule and (permissive, roles, command) == ("PERMISSIVE", [to], "ALL")):
            findings.append(f"{table}: policy {name} is not what the migration wrote")
    return findings


def key_findings(ties: Ties) -> list[str]:
    """Return the keys that are missing: `(tenant, id)` of every table, `(tenant, other)` of every foreign key."""
    findings = []
    with connection.cursor() as cursor:
        for model, keys in ties.items():
            table = model._meta.db_table
            read = _sqlite_keys if connection.vendor == "sqlite" else _postgres_keys
            unique, foreign = read(cursor, table)
            findings += [] if ("tenant_id", "id") in unique else [f"{table}: no unique key (tenant_id, id)"]
            for key in keys:
                assert isinstance(key.related_model, type)
                wanted = (("tenant_id", key.column), key.related_model._meta.db_table, ("tenant_id", "id"))
                findings += [] if wanted in foreign else [f"{table}: no foreign key (tenant_id, {key.column})"]
    if connection.vendor == "sqlite" and _rows("PRAGMA foreign_keys") != [(1,)]:
        findings.append("SQLite does not check foreign keys on this connection")
    return findings


# The columns of each unique key; columns, target and its columns of each foreign key.
_Keys: TypeAlias = tuple[set[tuple[str, ...]], set[tuple[tuple[str, ...], str, tuple[str, ...]]]]


def _postgres_keys(cursor: Any, table: str) -> _Keys:
    cursor.execute(
        """
        SELECT contype, confrelid::regclass::text,
               ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, place)
                     JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place),
               ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(number, place)
                     JOIN pg_attribute ON attrelid = confrelid AND attnum = number ORDER BY place)
        FROM pg_constraint
        WHERE conrelid = to_regclass(quote_ident(%s)) AND contype IN ('u', 'f') AND convalidated
        """,
        [table],
    )
    rows = cursor.fetchall()
    unique = {tuple(own) for kind, _, own, _ in rows if kind == "u"}
    return unique, {(tuple(own), target, tuple(theirs)) for kind, target, own, theirs in rows if kind == "f"}


def _sqlite_keys(cursor: Any, table: str) -> _Keys:
    quoted = connection.ops.quote_name(table)
    cursor.execute(f"PRAGMA index_list({quoted})")
    indexes = [row[1] for row in cursor.fetchall() if row[2]]
    unique = set()
    for index in indexes:
        cursor.execute(f"PRAGMA index_info({connection.ops.quote_name(index)})")
        unique.add(tuple(row[2] for row in cursor.fetchall()))
    cursor.execute(f"PRAGMA foreign_key_list({quoted})")
    keys: dict[int, list[tuple[str, str, str]]] = {}
    for number, _place, target, own, theirs, *_ in cursor.fetchall():
        keys.setdefault(number, []).append((target, own, theirs))
    foreign = {(tuple(k[1] for k in parts), parts[0][0], tuple(k[2] for k in parts)) for parts in keys.values()}
    return unique, foreign


def leak_findings() -> list[str]:
    """Return views and functions that would show rows with their owner's eyes."""
    views = _rows(
        "SELECT relname, relkind FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
        " AND (relkind = 'm' OR relkind = 'v'"
        " AND NOT coalesce(reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on'])"
    )
    functions = _rows(
        "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef ORDER BY proname"
    )
    kinds = {"m": "materialized view", "v": "view without security_invoker"}
    findings = [f"{name}: a {kinds[kind]} shows rows past row-level security" for name, kind in sorted(views)]
    return findings + [f"{name}: a SECURITY DEFINER function runs past row-level security" for (name,) in functions]


def _plain(expression: str | None) -> str:
    return _PRINTED.sub("", expression or "").lower()


def _rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
