"""Alerts over HTTP, for the platform's operator."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from observability.alerts.choices import AlertEvent, AlertSeverity, AlertState
from observability.alerts.models import Alert
from observability.alerts.raising import acknowledge_alert, raise_alert, resolve_open_alert
from observability.alerts.selectors import alert_of, alert_stats, alerts, entries_of, tellings_of
from observability.alerts.testing import send_test_alert
from tenancy.alerting import serializers as bodies
from tenancy.alerting.filters import AlertFilter
from tenancy.base_api import OperationsAPIView, created
from tenancy.choices import Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.listing import apply_filters, list_parameters, refuse_parameters
from tenancy.openapi import listed
from tenancy.permissions import require_scope
from tenancy.scope import every_tenant
from tenancy.serializers import NoBody

_NEWEST_FIRST = (OrderColumn("opened_at", descending=True), OrderColumn("id", descending=True))
_FILTERS = [
    OpenApiParameter("state", str, enum=AlertState.values),
    OpenApiParameter("severity", str, enum=AlertSeverity.values),
    OpenApiParameter("event", str, enum=AlertEvent.values),
]


class AlertsView(OperationsAPIView):
    """`GET /alerting/alerts`"""

    @extend_schema(operation_id="alerts_list", parameters=_FILTERS, responses=listed(bodies.AlertAnswer))
    def get(self, request: Request) -> Response:
        """List alerts, newest first."""
        wanted = list_parameters(request, allowed=("state", "severity", "event"))
        rows = apply_filters(AlertFilter, queryset=alerts(), filters=wanted.filters)
        with every_tenant("alerts are the platform's; they name a tenant at most"):
            page = page_of(rows, order=_NEWEST_FIRST, limit=wanted.limit, cursor=wanted.cursor, filters=wanted.filters)
        return Response({"items": [bodies.alert_data(a) for a in page.items], "next_cursor": page.next_cursor})


class AlertView(OperationsAPIView):
    """`GET /alerting/alerts/{id}`"""

    @extend_schema(operation_id="alerts_retrieve", responses=bodies.AlertDetailAnswer)
    def get(self, request: Request, alert_id: UUID) -> Response:
        """Show an alert with its history and where each channel stands."""
        refuse_parameters(request)
        return Response(_detail(alert_of(alert_id)))


class AlertAcknowledgementView(OperationsAPIView):
    """`POST /alerting/alerts/{id}/acknowledge`"""

    @extend_schema(operation_id="alerts_acknowledge", request=None, responses=bodies.AlertDetailAnswer)
    def post(self, request: Request, alert_id: UUID) -> Response:
        """Take an alert on, also at PagerDuty; again by anybody changes nothing."""
        refuse_parameters(request)
        NoBody.checked(request.data)
        require_scope(self.principal, Scope.OPS)
        return Response(_detail(acknowledge_alert(alert_id=alert_id, by=self.principal.id, now=timezone.now())))


class AlertResolutionView(OperationsAPIView):
    """`POST /alerting/alerts/{id}/resolve`"""

    @extend_schema(operation_id="alerts_resolve", request=None, responses=bodies.AlertDetailAnswer)
    def post(self, request: Request, alert_id: UUID) -> Response:
        """End an alert, also on the channels. What still holds opens a new one."""
        refuse_parameters(request)
        NoBody.checked(request.data)
        require_scope(self.principal, Scope.OPS)
        return Response(_detail(resolve_open_alert(alert_id=alert_id, by=self.principal.id, now=timezone.now())))


class SendAlertView(OperationsAPIView):
    """`POST /alerting/send`"""

    @extend_schema(
        operation_id="alerting_send", request=bodies.SendAlertRequest, responses={202: bodies.AlertDetailAnswer}
    )
    def post(self, request: Request) -> Response:
        """Raise an alert. While the same event, subject and tenant is open, it is counted and told no second time."""
        refuse_parameters(request)
        wanted = bodies.SendAlertRequest.checked(request.data)
        require_scope(self.principal, Scope.OPS)
        with transaction.atomic():
            raised = raise_alert(
                wanted["event"],
                severity=wanted.get("severity"),
                subject=wanted["subject"],
                tenant=wanted.get("tenant_id", ""),
                facts=wanted["facts"],
                by=self.principal.id,
                now=timezone.now(),
            )
        return _accepted(alert_of(raised.alert_id))


class TestAlertView(OperationsAPIView):
    """`POST /alerting/test`"""

    @extend_schema(operation_id="alerting_test", request=None, responses={202: bodies.AlertDetailAnswer})
    def post(self, request: Request) -> Response:
        """Send a test to every channel that is set up; the alert's `channels` tell how it went. It ends by itself."""
        refuse_parameters(request)
        NoBody.checked(request.data)
        require_scope(self.principal, Scope.OPS)
        return _accepted(send_test_alert(by=self.principal.id, now=timezone.now()))


class AlertStatsView(OperationsAPIView):
    """`GET /alerting/stats`"""

    @extend_schema(operation_id="alerting_stats", responses=bodies.AlertStatsAnswer)
    def get(self, request: Request) -> Response:
        """Tell what is open and how the last 24 hours went."""
        refuse_parameters(request)
        return Response(bodies.stats_data(alert_stats(now=timezone.now())))


class AlertEventTypesView(OperationsAPIView):
    """`GET /alerting/event-types`"""

    @extend_schema(operation_id="alerting_event_types", responses=bodies.AlertEventsAnswer)
    def get(self, request: Request) -> Response:
        """List the events with their severity and runbook."""
        refuse_parameters(request)
        return Response({"items": bodies.event_list()})


class AlertSeveritiesView(OperationsAPIView):
    """`GET /alerting/severities`"""

    @extend_schema(operation_id="alerting_severities", responses=bodies.AlertSeveritiesAnswer)
    def get(self, request: Request) -> Response:
        """List the severities, who is told of each, and how often at most."""
        refuse_parameters(request)
        return Response({"items": bodies.severity_list(settings.ALERT_LIMITS)})


def _detail(alert: Alert) -> dict[str, object]:
    return {
        **bodies.alert_data(alert),
        "channels": [bodies.telling_data(telling) for telling in tellings_of(alert)],
        "history": [bodies.entry_data(entry) for entry in entries_of(alert)],
    }


def _accepted(alert: Alert) -> Response:
    return created(_detail(alert), location=reverse("api_tenancy:alert", kwargs={"alert_id": alert.id}), status=202)
