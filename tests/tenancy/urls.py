"""Addresses that exist in tests only: what the base views do, seen through a view of no importance."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from observability.errors import Conflict, InvalidInput, Unavailable
from tenancy.audit import TenancyAction, record_event
from tenancy.base_api import OperationsAPIView, TenantAPIView, created
from tenancy.choices import Scope
from tenancy.idempotency import IdempotentCreate


class ThingsView(IdempotentCreate):
    """Each POST that succeeds leaves one audit event; the body says how it ends."""

    scopes = {"POST": (Scope.WRITE,)}
    calls: ClassVar[list[object]] = []

    def post(self, request: Request, thing_id: UUID | None = None) -> Response:
        assert isinstance(request.data, dict)
        self.calls.append(request.data)
        ending = request.data.get("ending")
        if ending == "refused":
            raise InvalidInput
        if ending == "conflict":
            raise Conflict
        if ending == "away":
            raise Unavailable
        if ending == "crash":
            raise RuntimeError("a fault of ours")
        with transaction.atomic():
            event = record_event(
                action=TenancyAction.TENANT_CHANGED,
                actor=self.principal,
                object_type="thing",
                object_id="1",
                now=timezone.now(),
            )
        return created({"zeta": str(event.id), "alpha": request.data.get("name")}, location=f"/things/{event.id}")


class ReadView(TenantAPIView):
    scopes = {"GET": (Scope.AUDIT,)}

    def get(self, request: Request) -> Response:
        return Response({"tenant": str(self.principal.tenant_id)})


class OpsView(OperationsAPIView):
    def get(self, request: Request) -> Response:
        return Response({"ok": True})


urlpatterns = [
    path("api/v1/things", ThingsView.as_view()),
    path("api/v1/things/<uuid:thing_id>", ThingsView.as_view()),
    path("api/v1/read", ReadView.as_view()),
    path("api/v1/ops", OpsView.as_view()),
]
handler404 = "config.error_views.not_found"
handler500 = "config.error_views.server_error"
