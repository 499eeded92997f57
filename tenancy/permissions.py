"""The one table of who may do what. Views ask it through the base classes, services through `require_scope`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from observability.errors import PermissionRefused
from tenancy.choices import Role, Scope

if TYPE_CHECKING:
    from tenancy.principals import Principal

_ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    Role.CLIENT: frozenset({Scope.READ, Scope.WRITE}),
    Role.ANALYST: frozenset({Scope.READ, Scope.WRITE, Scope.REVIEW}),
    Role.SUPERVISOR: frozenset({Scope.READ, Scope.WRITE, Scope.REVIEW, Scope.SUPERVISE}),
    Role.AUDITOR: frozenset({Scope.READ, Scope.AUDIT}),
    Role.ADMIN: frozenset({Scope.READ, Scope.WRITE, Scope.REVIEW, Scope.SUPERVISE, Scope.AUDIT, Scope.ADMIN}),
}
OPERATOR_SCOPES: frozenset[Scope] = frozenset({Scope.OPS})


def role_scopes(role: Role) -> frozenset[Scope]:
    """Return all that a role may do."""
    return _ROLE_SCOPES[role]


def require_scope(principal: Principal, *any_of: Scope) -> None:
    """Raise PermissionRefused unless the principal has one of the scopes."""
    if not principal.scopes.intersection(any_of):
        raise PermissionRefused
