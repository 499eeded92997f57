"""Every statement to the database is timed; inside a traced request or job it is a span: its verb, never its text."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import Error as DatabaseProblem
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from observability import metrics
from observability.tracing import is_inside_a_span, store_span

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]

# The semantic conventions' names of the systems (db.system.name).
_SYSTEMS = {"postgresql": "postgresql", "sqlite": "sqlite"}
# Resolved once: a label that is looked up for each statement costs as much as the observation itself.
_SECONDS = {verb: metrics.DATABASE_SECONDS.labels(operation=verb) for verb in metrics.DATABASE_OPERATIONS}


def watch_connections() -> None:
    """Have every connection of this process watched from its first statement on."""
    connection_created.connect(_watch, dispatch_uid="observability.database_calls")


def _watch(*, connection: BaseDatabaseWrapper, **_arguments: Any) -> None:
    metrics.DATABASE_CONNECTIONS_OPENED.inc()
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001  # Django's
    verb = _verb(sql)
    started = time.perf_counter()
    try:
        if not is_inside_a_span():
            return execute(sql, params, many, context)
        return _traced(execute, sql, params, many, context)
    except DatabaseProblem as error:
        metrics.DATABASE_ERRORS.labels(kind=type(error).__name__).inc()
        raise
    finally:
        _SECONDS[verb].observe(time.perf_counter() - started)


def _traced(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001  # as above
    verb = _verb(sql)
    vendor = context["connection"].vendor
    attributes = {"db.system.name": _SYSTEMS.get(vendor, vendor), "db.operation.name": verb.upper()}
    with store_span(f"database {verb}", attributes) as span:
        try:
            return execute(sql, params, many, context)
        except DatabaseProblem as error:
            span.failed(type(error).__name__)
            raise


def _verb(sql: object) -> str:
    """Return the first word of a statement as a label, `other` for what is none of the four."""
    word = str(sql)[:12].lstrip("( \n").partition(" ")[0].lower()
    return word if word in _SECONDS else "other"
