"""An API key with its person, tenant and role, by one statement whose text is made once.

This runs for every request of a program. Django spends two thirds of it on making the same SQL again; the database is
asked each time, nothing of its answer is kept, so that a key ends with the commit that revokes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import OuterRef, QuerySet, Subquery

from tenancy.models import ApiKey, Membership, Tenant, User

Model = TypeVar("Model", bound=models.Model)


@dataclass(frozen=True)
class HeldKey:
    """A key (person and tenant loaded, without `_LEFT`) and its holder's role of this moment; None: not a member."""

    key: ApiKey
    role: str | None


@dataclass(frozen=True)
class _Statement:
    """The SQL with the secret's hash as its only parameter; `readers` make a column's value from the driver's."""

    sql: str
    readers: list[tuple[int, Any, list[Callable[[Any, Any, Any], Any]]]]


def key_of_hash(secret_sha256: str) -> HeldKey | None:
    """Return the key with this hash, revoked and expired ones too; one query."""
    statement = _statement()
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, (secret_sha256,))
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for place, column, readers in statement.readers:
        for read in readers:
            values[place] = read(values[place], column, connection)
    key = _loaded(ApiKey, values)
    key.user = _loaded(User, values)
    key.tenant = _loaded(Tenant, values) if key.tenant_id is not None else None
    return HeldKey(key, values[-1])


# What no request asks of its credential: not read, and fetched by Django if one does all the same.
_LEFT: dict[type[models.Model], set[str]] = {
    ApiKey: {"prefix", "secret_sha256", "created_at", "rotated_from_id"},
    User: {"password", "email", "last_login", "date_joined"},
    Tenant: {"version", "created_at"},
}


def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if field.attname not in _LEFT[model]]


_NAMES: dict[type[models.Model], list[str]] = {model: _names(model) for model in _LEFT}
_STARTS = {ApiKey: 0, User: len(_NAMES[ApiKey]), Tenant: len(_NAMES[ApiKey]) + len(_NAMES[User])}


def _loaded(model: type[Model], values: list[Any]) -> Model:
    names, start = _NAMES[model], _STARTS[model]
    return model.from_db(connection.alias, names, values[start : start + len(names)])


def _rows(secret_sha256: str) -> QuerySet[ApiKey, Any]:
    role = Membership.objects.filter(tenant_id=OuterRef("tenant_id"), user_id=OuterRef("user_id")).values("role")
    person = [f"user__{name}" for name in _NAMES[User]]
    tenant = [f"tenant__{name}" for name in _NAMES[Tenant]]
    keys = ApiKey.objects.filter(secret_sha256=secret_sha256).annotate(holder_role=Subquery(role))
    return keys.values_list(*_NAMES[ApiKey], *person, *tenant, "holder_role")


# A connection belongs to its thread, and what reads its values may remember it.
_of_thread = threading.local()


def _statement() -> _Statement:
    found: _Statement | None = getattr(_of_thread, "statement", None)
    if found is None:
        compiler = _rows("").query.get_compiler(connection.alias)
        sql, parameters = compiler.as_sql()
        assert parameters == ("",), parameters
        readers = compiler.get_converters([column for column, *_ in compiler.select or []])
        found = _Statement(sql, [(place, column, list(read)) for place, (read, column) in readers.items()])
        _of_thread.statement = found
    return found
