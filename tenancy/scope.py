"""The tenant in whose name work is done right now. No scope, no query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

import structlog

from observability.context import work_context
from tenancy.errors import MissingTenantScope

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Scope:
    """In whose name. The database is told with every query (`tenancy/postgresql/base.py`)."""

    tenant_id: UUID | None  # None: every tenant
    reason: str = ""


_scope: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[None]:
    """Do the block in the name of one tenant; nested scopes restore the outer one."""
    token = _scope.set(Scope(tenant_id))
    try:
        with work_context(tenant_id=str(tenant_id)):
            yield
    finally:
        _scope.reset(token)


@contextmanager
def every_tenant(reason: str) -> Iterator[None]:
    """Do the block across all tenants: operations only, and the reason is logged."""
    log.info("every_tenant_scope", reason=reason)
    token = _scope.set(Scope(None, reason))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def outside_any_tenant() -> Iterator[None]:
    """Leave the scope for the block, for what is asked of a person rather than of a tenant; tenants' rows are out of
    reach there."""
    token = _scope.set(None)
    try:
        yield
    finally:
        _scope.reset(token)


def current_scope() -> Scope | None:
    """Return the scope, None outside any."""
    return _scope.get()


def current_tenant_id() -> UUID:
    """Return the tenant in scope; raises MissingTenantScope outside one and inside `every_tenant`."""
    scope = _scope.get()
    if scope is None or scope.tenant_id is None:
        raise MissingTenantScope
    return scope.tenant_id


def scoped_tenant_id() -> UUID | None:
    """Return the tenant in scope, None inside `every_tenant`; raises MissingTenantScope outside any scope."""
    scope = _scope.get()
    if scope is None:
        raise MissingTenantScope
    return scope.tenant_id


def default_tenant_id() -> UUID | None:
    """Return the tenant in scope, or None: the default of a new row's tenant (saving without one is refused)."""
    scope = _scope.get()
    return scope.tenant_id if scope else None
