"""Django's `migrate`, as the owner of the tables, with the database's roles made ready around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections

from tenancy.database_roles import RolesNotReady, configured_roles, grant_rows, prepare_roles


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        with _as_owner():
            try:
                prepare_roles(connection, configured_roles())
            except RolesNotReady as problem:
                raise CommandError(problem.message) from problem
            super().handle(*args, **options)
            grant_rows(connection, configured_roles())


@contextmanager
def _as_owner() -> Iterator[None]:
    """Let the default connection log in as the owner; the database stays (a test's has another name)."""
    connection = connections[DEFAULT_DB_ALIAS]
    login = {part: settings.DATABASE_OWNER[part] for part in ("USER", "PASSWORD", "HOST", "PORT")}
    before = {part: connection.settings_dict[part] for part in login}
    if login == before:
        yield
        return
    connection.close()
    connection.settings_dict.update(login)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
