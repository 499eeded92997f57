"""Where a person starts: the first page that their role may open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tenancy.choices import Scope
from tenancy.principals import Principal

_STARTS: tuple[tuple[Scope, str], ...] = (
    (Scope.REVIEW, "desk:queue"),
    (Scope.READ, "claims:list"),
    (Scope.OPS, "admin:index"),
)


def start_page(request: HttpRequest) -> HttpResponse:
    """Send the person to their first page, a stranger to the door."""
    principal: Principal | None = getattr(request, "principal", None)
    scopes = principal.scopes if principal else frozenset()
    return redirect(next((page for scope, page in _STARTS if scope in scopes), "sign-in"))
