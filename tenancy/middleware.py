"""Puts the acting person on the request; tenant scopes are entered by the base views."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from observability.context import work_context
from observability.errors import PermissionRefused
from tenancy.authentication import principal_for_user
from tenancy.errors import SignOnRequired, TenantInactive, TenantMismatch
from tenancy.models import User
from tenancy.principals import Principal
from tenancy.sessions import forget_ended_person, keep_awake


class MembershipMiddleware:
    """Sets `request.principal` (None for strangers) from the signed-in person's membership.

    A tenant that cannot be chosen is no error yet (signing out must work, and an API key may come with the request):
    the reason waits on `request.tenant_refusal` for whoever needs the person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        principal, refusal = _acting_person(request)
        request.principal = principal  # type: ignore[attr-defined]  # Django lets middleware add to a request
        request.tenant_refusal = refusal  # type: ignore[attr-defined]  # as above
        if principal is None:
            return self._get_response(request)
        with work_context(principal_id=principal.id):
            return self._get_response(request)


def _acting_person(request: HttpRequest) -> tuple[Principal | None, PermissionRefused | None]:
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        forget_ended_person(request)
        return None, None
    keep_awake(request, now=timezone.now())
    try:
        return principal_for_user(request, user), None
    except (TenantMismatch, TenantInactive, SignOnRequired) as refusal:
        return None, refusal
