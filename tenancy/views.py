"""The doors: sign in, sign out, choose the tenant to work in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.views import View

from observability.errors import LimitReached, Unavailable
from tenancy.authentication import principal_for_user
from tenancy.models import User
from tenancy.sign_in import choose_tenant, count_failure, record_sign_in, refuse_guessing, remember_place


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
        login(self.request, user)
        remember_place(user=user, address=self.request.META.get("REMOTE_ADDR", ""), now=timezone.now())
        principal = principal_for_user(self.request, user)
        if principal is not None:
            record_sign_in(principal=principal, now=timezone.now())
        return redirect(self.get_success_url())


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
