"""The triggers that must be in the database: each floor registers those of its append-only tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from django.db import connection

_guards: dict[str, Callable[[str], Collection[str]]] = {}


def register_guard(name: str, triggers: Callable[[str], Collection[str]]) -> None:
    """Have `check_isolation` look for a guard; called once when the owner's app starts.

    `triggers` returns the names of the guard's triggers for a kind of database.
    """
    _guards[name] = triggers


def missing_guard_triggers() -> list[str]:
    """Return the names of all registered triggers that should be there and are not; one query."""
    return missing_of(trigger for triggers in _guards.values() for trigger in triggers(connection.vendor))


def missing_of(wanted: Iterable[str]) -> list[str]:
    """Return which of these triggers are not there (or are disabled); one query."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = {row[0] for row in cursor.fetchall()}
    return sorted(set(wanted) - found)
