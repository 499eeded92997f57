"""The doors: sign in, sign out, choose the tenant to work in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView, LogoutView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views import View

from observability.errors import LimitReached, PlatformError, Unavailable
from tenancy.entering import PendingSignInGone, enter, enter_with_code, pending_person
from tenancy.errors import SecondFactorRefused, SignOnRequired
from tenancy.models import User
from tenancy.sign_in import choose_tenant, count_failure, refuse_guessing
from tenancy.sign_on_rules import Entrance, providers


class SignInView(LoginView):
    """The sign-in page; `next` is followed only inside this site (checked by Django)."""

    template_name = "tenancy/sign_in.html"
    next_page = "home"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Not Django's redirect_authenticated_user: who has an account but no tenant would be sent round in circles.
        if getattr(request, "principal", None) is not None:
            return redirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        username, address = request.POST.get("username", ""), request.META.get("REMOTE_ADDR", "")
        try:
            refuse_guessing(username=username, address=address)
        except (LimitReached, Unavailable) as refusal:
            context = self.get_context_data(form=self.form_class(), refusal=refusal.message)
            headers = {"Retry-After": str(refusal.retry_after_seconds)}
            status = 429 if isinstance(refusal, LimitReached) else 503
            return self.render_to_response(context, status=status, headers=headers)
        form = self.get_form()
        if form.is_valid():
            return self.form_valid(form)
        count_failure(username=username, address=address)
        return self.form_invalid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        assert isinstance(user, User)
        try:
            inside = enter(self.request, user, Entrance(), now=timezone.now())
        except SignOnRequired as refusal:
            context = self.get_context_data(form=self.form_class(), refusal=refusal.message)
            return self.render_to_response(context, status=403)
        return redirect(self.get_success_url()) if inside else redirect(_code_page(self.get_success_url()))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "providers": providers()}


class SignInCodeView(RedirectURLMixin, View):
    """`/sign-in/code/`: the second step of who has a second factor."""

    next_page = "home"

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            pending_person(request, now=timezone.now())
        except PendingSignInGone:
            return redirect("sign-in")
        return self._page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            enter_with_code(request, request.POST.get("code", "")[:40], now=timezone.now())
        except PendingSignInGone as refusal:
            messages.warning(request, refusal.message)
            return redirect("sign-in")
        except (LimitReached, Unavailable) as refusal:
            status = 429 if isinstance(refusal, LimitReached) else 503
            return self._page(request, refusal, status=status, retry_after=str(refusal.retry_after_seconds))
        except SecondFactorRefused as refusal:
            return self._page(request, refusal, status=401)
        return redirect(self.get_success_url())

    def _page(
        self, request: HttpRequest, refusal: PlatformError | None = None, *, status: int = 200, retry_after: str = ""
    ) -> HttpResponse:
        page = {"refusal": refusal and refusal.message, "next": self.get_redirect_url()}
        response = render(request, "tenancy/sign_in_code.html", page, status=status)
        if retry_after:
            response.headers["Retry-After"] = retry_after
        return response


def _code_page(then: str) -> str:
    return f"{resolve_url('sign-in-code')}?{urlencode({'next': then})}"


class SignOutView(LogoutView):
    """Signs out by POST and goes back to the sign-in page."""

    next_page = settings.LOGOUT_REDIRECT_URL
    http_method_names = ["post", "options"]


class ChooseTenantView(LoginRequiredMixin, View):
    """Changes the tenant that a person in several of them works in."""

    def post(self, request: HttpRequest, tenant_id: UUID) -> HttpResponse:
        membership = choose_tenant(request, tenant_id=tenant_id)
        messages.success(request, f"You now work at {membership.tenant.name}.")
        return redirect(resolve_url("home"))
