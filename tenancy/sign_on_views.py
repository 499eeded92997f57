"""The way to an identity provider and back. Refusals are told on the sign-in page, or on the account page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from django.contrib import messages
from django.contrib.auth.views import RedirectURLMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views import View

from observability.errors import PlatformError
from tenancy.account_views import AccountView
from tenancy.entering import enter
from tenancy.errors import IdentityRefused
from tenancy.models import User
from tenancy.sign_on import Arrival, entrance_through, link_identity, person_for, unlink_identity
from tenancy.sign_on_allauth import begin_sign_on, finish_sign_on, provider_called

log = structlog.get_logger(__name__)


class SignOnView(RedirectURLMixin, View):
    """`POST /sign-in/sso/{provider}/`: a form's button, so that no foreign page starts it in a person's name."""

    http_method_names = ["post", "options"]
    next_page = "home"

    def post(self, request: HttpRequest, provider_id: str) -> HttpResponse:
        provider = provider_called(provider_id)
        link_for = request.user.id if request.POST.get("link") and isinstance(request.user, User) else None
        try:
            return begin_sign_on(request, provider, then=self.get_success_url(), link_for=link_for)
        except PlatformError as refusal:
            return _refused(request, refusal, linking=link_for is not None)


class SignOnCallbackView(View):
    """`GET /sign-in/sso/{provider}/callback/`: the provider sends the browser back here."""

    http_method_names = ["get", "options"]

    def get(self, request: HttpRequest, provider_id: str) -> HttpResponse:
        provider = provider_called(provider_id)
        try:
            return finish_sign_on(request, provider, self._finish)
        except PlatformError as refusal:
            return _refused(request, refusal, linking=isinstance(request.user, User))

    def _finish(self, arrival: Arrival, then: str, link_for: UUID | None) -> HttpResponse:
        now = timezone.now()
        if link_for is not None:
            return self._link(arrival, link_for)
        user = person_for(arrival, now=now)
        inside = enter(self.request, user, entrance_through(arrival.provider), now=now)
        return redirect(then or "home") if inside else redirect("sign-in-code")

    def _link(self, arrival: Arrival, link_for: UUID) -> HttpResponse:
        user: Any = self.request.user
        if not isinstance(user, User) or user.id != link_for:
            raise IdentityRefused("Someone else is signed in now; link again.")
        link_identity(user=user, arrival=arrival, now=timezone.now())
        messages.success(self.request, f"{arrival.provider.name} is linked with your account.")
        return redirect("account")


class UnlinkIdentityView(AccountView):
    """`POST /account/identities/{id}/unlink/`"""

    def post(self, request: HttpRequest, identity_id: UUID) -> HttpResponse:
        try:
            unlink_identity(user=self.person, identity_id=identity_id, now=timezone.now())
        except IdentityRefused as refusal:
            return _refused(request, refusal, linking=True)
        messages.success(request, "That identity is unlinked.")
        return redirect("account")


def _refused(request: HttpRequest, refusal: PlatformError, *, linking: bool) -> HttpResponse:
    log.warning("sign_on_refused", code=refusal.code, reason=getattr(refusal, "reason", ""))
    messages.error(request, refusal.message)
    return redirect("account" if linking else "sign-in")
