"""Every query takes the tenant in scope with it, in the same message to the server.

`SET LOCAL` ends with its transaction, and a message of several statements is one transaction where none is open. So
nothing is left behind on the connection: no request, pool, proxy or savepoint can hand one tenant's setting to another,
and a read outside a transaction needs no BEGIN and COMMIT of its own (13 µs a query instead of 84, measured).
What the setting does: `tenancy/row_security.py`. What `every_tenant` does: `tenancy/database_roles.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import register_tzloader
from psycopg import ClientCursor, OperationalError, ProgrammingError, ServerCursor, sql
from psycopg.pq import Format, TransactionStatus

from tenancy.scope import current_scope

if TYPE_CHECKING:  # what Django's classes are, which come without types
    PlainCursor: TypeAlias = ClientCursor[Any]
    PlainServerSideCursor: TypeAlias = ServerCursor[Any]
else:
    PlainCursor, PlainServerSideCursor = base.Cursor, base.ServerSideCursor

_TENANT = "SET LOCAL ROLE NONE;SET LOCAL app.tenant_id = '{tenant_id}';"
_EVERY = "SET LOCAL ROLE {role};SET LOCAL app.tenant_id = '';"
_NOBODY = "SET LOCAL ROLE NONE;SET LOCAL app.tenant_id = '';"
_STATEMENTS = 2  # in each of the three


@lru_cache(maxsize=4096)
def _tenant_settings(tenant_id: UUID) -> str:
    return _TENANT.format(tenant_id=UUID(str(tenant_id)))


def _settings_for(cursor: Any) -> str:
    """Return what has to run in front of the next query, or nothing."""
    connection = cursor.connection
    status = connection.pgconn.transaction_status
    if status == TransactionStatus.ACTIVE:  # the driver would wait for it, for ever
        raise ProgrammingError("a stream of rows is still being read on this connection")
    if status == TransactionStatus.INERROR:
        return ""  # the server takes nothing but a rollback now
    scope = current_scope()
    if scope is None:
        # Without a transaction there is nothing that an inner scope could have left.
        return "" if connection.autocommit and status == TransactionStatus.IDLE else _NOBODY
    if scope.tenant_id is None:
        return _EVERY.format(role=sql.Identifier(settings.DATABASE_OPERATIONS_ROLE).as_string(connection))
    return _tenant_settings(scope.tenant_id)


@contextmanager
def _settings_before(cursor: Any) -> Iterator[None]:
    """Run the settings on their own, for what cannot share a message with them."""
    connection = cursor.connection
    wanted = _settings_for(cursor)
    # Where Django manages the transaction it is open already, or opened by the settings and ended by Django.
    with connection.transaction() if wanted and connection.autocommit else nullcontext():
        if wanted:
            ClientCursor(connection).execute(wanted)
        yield


class TenantCursor(PlainCursor):
    def execute(self, query: Any, params: Any = None, **options: Any) -> TenantCursor:
        wanted = _settings_for(self)
        if not wanted:
            super().execute(query, params, **options)
            return self
        # Merged first: the driver remembers what it has parsed by the text, which would differ for each tenant.
        super().execute(wanted + self.mogrify(query, params), **options)
        for _ in range(_STATEMENTS):
            self.nextset()
        return self

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        with _settings_before(self):
            super().executemany(query, params_seq, **options)

    def stream(self, query: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with _settings_before(self):
            yield from super().stream(query, params, **options)

    @contextmanager
    def copy(self, statement: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with _settings_before(self), super().copy(statement, params, **options) as copy:
            yield copy


class TenantServerSideCursor(PlainServerSideCursor):
    """A cursor of the server's own (`QuerySet.iterator`); outside a transaction it outlives the short one it opens."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> TenantServerSideCursor:
        with _settings_before(self):
            super().execute(query, params, **options)
        return self


# After a server could not be reached, nobody of this process tries again for so long: with a server that swallows
# packets each try would hold a thread for `connect_timeout`, and soon all of them.
_REST_SECONDS = 1.0
_resting_until: dict[str, float] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; raises OperationalError at once while the server is left alone after a failure."""
        server = f"{conn_params.get('host')}:{conn_params.get('port')}"
        if time.monotonic() < _resting_until.get(server, 0.0):
            raise OperationalError("the database server was just out of reach and is left alone for a moment")
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            _resting_until[server] = time.monotonic() + _REST_SECONDS
            raise

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": TenantCursor}

    def create_cursor(self, name: str | None = None) -> Any:
        if name is None:
            return super().create_cursor()
        cursor = TenantServerSideCursor(
            self.connection, name=name, scrollable=False, withhold=self.connection.autocommit
        )
        tzloader = self.connection.adapters.get_loader(base.TIMESTAMPTZ_OID, Format.TEXT)
        if self.timezone != tzloader.timezone:
            register_tzloader(self.timezone, cursor)
        return cursor
