"""The API's default permission. It stands apart from the base views: DRF imports it while it makes its own views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from observability.errors import NotAuthenticated
from tenancy.principals import Principal

if TYPE_CHECKING:
    from rest_framework.views import APIView


class ScopePermission(BasePermission):
    """Lets a principal through that has one of the scopes which the view names for the verb (`ScopedAPIView`)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scopes_for = getattr(view, "scopes_for", None)
        if scopes_for is None:
            return False
        if not isinstance(request.auth, Principal):
            raise NotAuthenticated
        if request.method == "OPTIONS":
            return True  # tells the verbs only
        return bool(request.auth.scopes.intersection(scopes_for(request.method or "GET")))
