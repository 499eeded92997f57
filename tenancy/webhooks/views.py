"""Pages of webhooks for the tenant's administrator; what they do is what the API does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from observability.errors import Conflict, InvalidInput, PlatformError
from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.cursors import page_of
from tenancy.models import WebhookEndpoint
from tenancy.scope import current_tenant_id
from tenancy.selectors import tenant_of
from tenancy.tiers import Feature, includes
from tenancy.webhooks.api import NEWEST_FIRST
from tenancy.webhooks.catalogue import event_types
from tenancy.webhooks.selectors import deliveries_of, endpoint_of, endpoints
from tenancy.webhooks.services import (
    IssuedEndpoint,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    redeliver,
    rotate_secret,
    send_ping,
)

_ROWS = 25
_REFUSALS = (InvalidInput, Conflict)


class WebhooksPage(TenantView):
    """The tenant's webhooks, and a form for one more."""

    any_scope = (Scope.ADMIN,)

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "tenancy/webhooks.html", self._context())

    def post(self, request: HttpRequest) -> HttpResponse:
        url, events = request.POST.get("url", "").strip(), request.POST.getlist("events")
        try:
            issued = create_endpoint(actor=self.principal, url=url, events=events, now=timezone.now())
        except _REFUSALS as refusal:
            context = self._context() | {"url": url, "chosen": events, "trouble": _words(refusal)}
            return render(request, "tenancy/webhooks.html", context, status=400)
        return _with_secret(request, issued)

    def _context(self) -> dict[str, Any]:
        return {
            "rows": endpoints().order_by("-created_at", "-id"),
            "event_types": event_types(),
            "included": includes(tenant_of(current_tenant_id()).tier, Feature.WEBHOOKS),
        }


class WebhookPage(TenantView):
    """One webhook: how it stands, its deliveries, and what can be done about it."""

    any_scope = (Scope.ADMIN,)

    def get(self, request: HttpRequest, webhook_id: UUID) -> HttpResponse:
        context = _endpoint_context(endpoint_of(webhook_id), request.GET.get("cursor") or None)
        return render(request, "tenancy/webhook.html", context)

    def post(self, request: HttpRequest, webhook_id: UUID) -> HttpResponse:
        action, now = request.POST.get("action", ""), timezone.now()
        if action == "rotate":
            return _with_secret(request, rotate_secret(actor=self.principal, endpoint_id=webhook_id, now=now))
        if action == "delete":
            delete_endpoint(actor=self.principal, endpoint_id=webhook_id, now=now)
            messages.success(request, "The webhook is deleted.")
            return redirect("webhooks:list")
        try:
            messages.success(request, self._change(request, webhook_id, action))
        except _REFUSALS as refusal:
            messages.warning(request, _words(refusal))
        return redirect("webhooks:one", webhook_id=webhook_id)

    def _change(self, request: HttpRequest, webhook_id: UUID, action: str) -> str:
        actor, now = self.principal, timezone.now()
        if action == "ping":
            send_ping(actor=actor, endpoint_id=webhook_id, now=now)
            return "A ping is on its way."
        if action == "redeliver":
            delivery_id = _uuid(request.POST.get("delivery", ""))
            redeliver(actor=actor, endpoint_id=webhook_id, delivery_id=delivery_id, now=now)
            return "The event is on its way again."
        endpoint = endpoint_of(webhook_id)
        if action in ("enable", "disable"):
            change_endpoint(actor=actor, endpoint=endpoint, enabled=action == "enable", now=now)
            return "Events are sent again." if action == "enable" else "Nothing is sent any more."
        if action != "events":
            raise InvalidInput("Unknown action.")
        change_endpoint(actor=actor, endpoint=endpoint, events=request.POST.getlist("events"), now=now)
        return "The choice of events is saved."


def _with_secret(request: HttpRequest, issued: IssuedEndpoint) -> HttpResponse:
    """Answer at once rather than by a redirect: the secret is kept nowhere that another request could read."""
    context = _endpoint_context(issued.endpoint, None) | {"secret": issued.secret}
    response = render(request, "tenancy/webhook.html", context)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _endpoint_context(endpoint: WebhookEndpoint, cursor: str | None) -> dict[str, Any]:
    bound = {"webhook": str(endpoint.id)}
    page = page_of(deliveries_of(endpoint), order=NEWEST_FIRST, limit=_ROWS, cursor=cursor, filters=bound)
    context = {"endpoint": endpoint, "deliveries": page.items, "next_cursor": page.next_cursor, "cursor": cursor}
    return context | {"event_types": event_types()}


def _words(refusal: PlatformError) -> str:
    return " ".join([refusal.message, *(problem.detail for problem in refusal.problems)])


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput("Unknown delivery.") from error
