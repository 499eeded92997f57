"""Who and what is being served right now, as plain strings, for logs, traces and audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class WorkContext:
    """Correlation ids of the work in hand; empty strings where unknown."""

    request_id: str = ""
    tenant_id: str = ""
    job_id: str = ""
    principal_id: str = ""


_current: ContextVar[WorkContext] = ContextVar("work_context", default=WorkContext())  # noqa: B039  # frozen


# Ids met while a request was served, for its closing log line: the inner blocks have ended by then.
_trail: ContextVar[dict[str, str] | None] = ContextVar("work_trail", default=None)


def current_context() -> WorkContext:
    return _current.get()


@contextmanager
def remembered_ids() -> Iterator[dict[str, str]]:
    """Collect the ids that inner `work_context` blocks set, last one wins."""
    met: dict[str, str] = {}
    token = _trail.set(met)
    try:
        yield met
    finally:
        _trail.reset(token)


@contextmanager
def work_context(
    *,
    request_id: str | None = None,
    tenant_id: str | None = None,
    job_id: str | None = None,
    principal_id: str | None = None,
) -> Iterator[WorkContext]:
    """Set the named ids for the block; the others stay as they are."""
    given = {"request_id": request_id, "tenant_id": tenant_id, "job_id": job_id, "principal_id": principal_id}
    known = {name: value for name, value in given.items() if value is not None}
    context = replace(_current.get(), **known)
    met = _trail.get()
    if met is not None:
        met.update(known)
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
