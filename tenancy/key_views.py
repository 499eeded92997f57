"""The page of a tenant's administrator for API keys: make, rotate, revoke; a secret is shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from observability.errors import PlatformError
from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.forms import KeyForm
from tenancy.scope import current_tenant_id
from tenancy.selectors import client_members, keys_of, keys_with_successor
from tenancy.services import IssuedKey, create_api_key, revoke_api_key, rotate_api_key

_PER_PAGE = 25


class KeysView(TenantView):
    """`/keys/`"""

    any_scope = (Scope.ADMIN,)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make a key. Its secret is on this answer and nowhere else."""
        form = self._form(request)
        if not form.is_valid():
            return self.page(request, form=form, status=400)
        wanted, now = form.cleaned_data, timezone.now()
        try:
            issued = create_api_key(
                actor=self.principal,
                name=wanted["name"],
                scopes=wanted["scopes"],
                expires_at=now + timedelta(days=int(wanted["days"])) if wanted["days"] else None,
                user_id=UUID(wanted["holder"]),
                now=now,
            )
        except PlatformError as refusal:
            form.add_error(None, refusal.message)
            return self.page(request, form=form, status=400)
        return self.page(request, issued=issued)

    def page(
        self, request: HttpRequest, *, form: KeyForm | None = None, issued: IssuedKey | None = None, status: int = 200
    ) -> HttpResponse:
        keys = keys_of(current_tenant_id()).order_by("-created_at", "-id")
        shown = Paginator(keys, _PER_PAGE).get_page(request.GET.get("page"))
        context: dict[str, Any] = {
            "keys": shown,
            "rotated": keys_with_successor([key.id for key in shown]),
            "form": form or self._form(None),
            "issued": issued,
            "now": timezone.now(),
        }
        response = render(request, "tenancy/keys.html", context, status=status)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def _form(self, request: HttpRequest | None) -> KeyForm:
        holders = [(str(self.principal.user_id), f"{self.principal.name} (you)")]
        holders += [(str(m.user_id), f"{m.user} (client)") for m in client_members(current_tenant_id())]
        data = request.POST if request else None
        return KeyForm(data, scopes=self.principal.scopes, holders=holders, initial={"days": "90"})


class RotateKeyView(KeysView):
    """`POST /keys/{id}/rotate/`"""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, key_id: UUID) -> HttpResponse:  # type: ignore[override]  # has the key's id
        """Make the key's successor; the old one works for another 24 hours."""
        try:
            issued = rotate_api_key(actor=self.principal, key_id=key_id, now=timezone.now())
        except PlatformError as refusal:
            messages.error(request, refusal.message)
            return redirect("keys")
        return self.page(request, issued=issued)


class RevokeKeyView(KeysView):
    """`POST /keys/{id}/revoke/`"""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, key_id: UUID) -> HttpResponse:  # type: ignore[override]  # has the key's id
        """End a key at once."""
        revoke_api_key(actor=self.principal, key_id=key_id, now=timezone.now())
        messages.success(request, "The key is revoked. Its next request is refused.")
        return redirect("keys")
