"""A person's own account: what is signed in, password, second factor, linked identities."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views import View

from observability.errors import LimitReached, PlatformError
from tenancy.entering import check_code
from tenancy.errors import SecondFactorRefused
from tenancy.models import User
from tenancy.qr_codes import picture_of
from tenancy.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    has_second_factor,
    remove_second_factor,
    replace_recovery_codes,
    unused_recovery_codes,
)
from tenancy.sessions import access_of, change_password, end_other_sessions, end_session, session_row
from tenancy.sign_in import count_failure, refuse_guessing
from tenancy.sign_on_rules import providers
from tenancy.token_grants import revoke_own_family


class AccountView(LoginRequiredMixin, View):
    """Base of the pages about oneself; also the platform's operator has one. No cache keeps them."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        return response

    @property
    def person(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    @property
    def address(self) -> str:
        return str(self.request.META.get("REMOTE_ADDR", ""))


class OverviewView(AccountView):
    """`/account/`"""

    def get(self, request: HttpRequest) -> HttpResponse:
        access = access_of(self.person, now=timezone.now())
        here = session_row(request)
        names = {provider.issuer: provider.name for provider in providers()}
        page = {
            "access": access,
            "here": here.id if here else None,
            "identities": [(identity, names.get(identity.issuer, identity.issuer)) for identity in access.identities],
            "linkable": [p for p in providers() if p.issuer not in {i.issuer for i in access.identities}],
            "second_factor": has_second_factor(self.person),
            "codes_left": unused_recovery_codes(self.person),
        }
        return render(request, "tenancy/account.html", page)


class EndSessionView(AccountView):
    """`POST /account/sessions/{id}/end/`"""

    def post(self, request: HttpRequest, session_id: UUID) -> HttpResponse:
        ended = end_session(user=self.person, session_id=session_id, now=timezone.now())
        if ended:
            messages.success(request, "That browser is signed out.")
        else:
            messages.info(request, "That browser was signed out before.")
        return redirect("account")


class EndOtherSessionsView(AccountView):
    """`POST /account/sessions/end-others/`"""

    def post(self, request: HttpRequest) -> HttpResponse:
        ended = end_other_sessions(user=self.person, keep=request.session.session_key, now=timezone.now())
        messages.success(request, f"{ended} other {'browser is' if ended == 1 else 'browsers are'} signed out.")
        return redirect("account")


class EndTokensView(AccountView):
    """`POST /account/tokens/{id}/end/`"""

    def post(self, request: HttpRequest, family_id: UUID) -> HttpResponse:
        revoke_own_family(user=self.person, family_id=family_id, now=timezone.now())
        messages.success(request, "Those tokens are over.")
        return redirect("account")


class PasswordView(AccountView):
    """`/account/password/`: the present password is guessed here no faster than at the door."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "tenancy/password.html", {"form": PasswordChangeForm(self.person)})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasswordChangeForm(self.person, request.POST)
        try:
            refuse_guessing(username=self.person.username, address=self.address)
        except LimitReached as refusal:
            return _limited(request, "tenancy/password.html", {"form": PasswordChangeForm(self.person)}, refusal)
        if not form.is_valid():
            if "old_password" in form.errors:
                count_failure(username=self.person.username, address=self.address)
            return render(request, "tenancy/password.html", {"form": form}, status=400)
        change_password(user=self.person, new_password=form.cleaned_data["new_password1"], now=timezone.now())
        update_session_auth_hash(request, self.person)
        messages.success(request, "Your password is changed. Every other browser and all tokens are signed out.")
        return redirect("account")


class SecondFactorView(AccountView):
    """`/account/second-factor/`: set up while it is off, codes and turning off while it is on."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Turn it on with the first code; its recovery codes are on this answer and nowhere else."""
        code, now = request.POST.get("code", "")[:40], timezone.now()
        try:
            refuse_guessing(username=self.person.username, address=self.address)
            codes = confirm_second_factor(user=self.person, code=code.strip().replace(" ", ""), now=now)
        except LimitReached as refusal:
            return _limited(request, "tenancy/second_factor.html", {"on": False}, refusal)
        except SecondFactorRefused as refusal:
            count_failure(username=self.person.username, address=self.address)
            return self._page(request, refusal)
        return render(request, "tenancy/recovery_codes.html", {"codes": codes, "fresh": True})

    def _page(self, request: HttpRequest, refusal: PlatformError | None = None) -> HttpResponse:
        page: dict[str, Any] = {"on": has_second_factor(self.person), "refusal": refusal and refusal.message}
        if page["on"]:
            page["codes_left"] = unused_recovery_codes(self.person)
        else:
            enrolment = begin_second_factor(user=self.person, now=timezone.now())
            page |= {"secret": enrolment.secret, "picture": picture_of(enrolment.uri)}
        return render(request, "tenancy/second_factor.html", page, status=400 if refusal else 200)

    def _after_code(self, request: HttpRequest, act: Callable[[datetime], HttpResponse]) -> HttpResponse:
        now = timezone.now()
        try:
            check_code(request, self.person, request.POST.get("code", "")[:40], now=now)
        except LimitReached as refusal:
            return _limited(request, "tenancy/second_factor.html", {"on": True}, refusal)
        except SecondFactorRefused as refusal:
            return self._page(request, refusal)
        return act(now)


class RecoveryCodesView(SecondFactorView):
    """`POST /account/second-factor/codes/`"""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make new recovery codes for a right code; they are on this answer and nowhere else."""
        return self._after_code(request, self._new_codes)

    def _new_codes(self, now: datetime) -> HttpResponse:
        codes = replace_recovery_codes(user=self.person, now=now)
        return render(self.request, "tenancy/recovery_codes.html", {"codes": codes, "fresh": False})


class SecondFactorOffView(SecondFactorView):
    """`POST /account/second-factor/off/`"""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Turn the second factor off for a right code."""
        return self._after_code(request, self._off)

    def _off(self, now: datetime) -> HttpResponse:
        remove_second_factor(user=self.person, now=now)
        messages.success(self.request, "The second factor is off.")
        return redirect("account")


def _limited(request: HttpRequest, template: str, page: dict[str, Any], refusal: LimitReached) -> HttpResponse:
    response = render(request, template, {**page, "refusal": refusal.message}, status=429)
    response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return response
