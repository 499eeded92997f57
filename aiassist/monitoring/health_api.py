"""Model health over HTTP, for the administrators of a tenant: drift, bias, reports, and a run on demand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aiassist.choices import ReportCause
from aiassist.models import HealthReport
from aiassist.monitoring.bias import FEWEST_DECIDED, BiasLevel, BiasState, Outcome
from aiassist.monitoring.drift import MONTHLY_ALPHA, REFERENCE_CLAIMS, DriftLevel
from aiassist.monitoring.health import DriftStatus, HealthStatus, bias_data, bias_of, drift_data, drift_state
from aiassist.monitoring.looks import accept_newest_claims
from aiassist.monitoring.watching import request_report
from aiassist.monitoring.window import DEFAULT_DAYS, MOST_DAYS, start_of_window
from observability.errors import NotFound
from tenancy.base_api import TenantAPIView
from tenancy.choices import Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.idempotency import IdempotentCreate
from tenancy.inputs import StrictSerializer, TextField
from tenancy.listing import list_parameters, refuse_parameters, single_parameter
from tenancy.openapi import listed

_NEWEST_FIRST = (OrderColumn("made_at", descending=True), OrderColumn("id", descending=True))
_LEVELS = [str(level) for level in DriftLevel]
_TAGS = ["Monitoring"]


class DriftReferenceAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    model_version = serializers.CharField()
    started_at = serializers.DateTimeField()
    claims = serializers.IntegerField(help_text="How many it has so far.")
    needed = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True)


class DriftPointAnswer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    claims_until = serializers.DateTimeField()
    level = serializers.ChoiceField(choices=_LEVELS)
    alarm = serializers.BooleanField()
    in_episode = serializers.BooleanField()
    largest_distance = serializers.FloatField(allow_null=True)
    prediction_distance = serializers.FloatField(allow_null=True)
    agreement = serializers.FloatField(allow_null=True)


class DriftAnswer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=[str(status) for status in DriftStatus])
    level = serializers.ChoiceField(choices=_LEVELS, help_text="Of the newest look; by size, once it is no chance.")
    reference = DriftReferenceAnswer(allow_null=True)
    window_claims = serializers.IntegerField()
    looked_at = serializers.DateTimeField(allow_null=True)
    claims_until = serializers.DateTimeField(allow_null=True)
    alpha = serializers.FloatField(
        allow_null=True, help_text=f"What this look might spend of a month's {MONTHLY_ALPHA:.0%} of false alarms."
    )
    findings = serializers.DictField(
        allow_null=True,
        help_text="features: Kolmogorov–Smirnov distance, adjusted p-value, moved_sd, stability_index, gaps; "
        "predictions: total variation distance; agreement and service: shares with a 95 % interval of the change.",
    )
    trend = DriftPointAnswer(many=True, help_text="The looks before, oldest first.")


class BiasFigureAnswer(serializers.Serializer[Any]):
    attribute = serializers.CharField()
    group = serializers.CharField()
    decided = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True, help_text="Impact ratio, or gap of agreement.")
    interval = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    state = serializers.ChoiceField(
        choices=[str(state) for state in BiasState],
        help_text=f"Below {FEWEST_DECIDED} decided claims nothing is said; UNSURE may be chance; DISPARATE hardly is.",
    )
    level = serializers.ChoiceField(choices=[str(level) for level in BiasLevel])


class ImpactAnswer(BiasFigureAnswer):
    outcome = serializers.ChoiceField(choices=[str(outcome) for outcome in Outcome])
    rate = serializers.FloatField(allow_null=True)
    against = serializers.CharField(allow_blank=True, help_text="The best-treated group.")


class AccuracyGapAnswer(BiasFigureAnswer):
    agreement = serializers.FloatField(allow_null=True)


class BiasAnswer(serializers.Serializer[Any]):
    decided_from = serializers.DateTimeField()
    decided_to = serializers.DateTimeField()
    decided = serializers.IntegerField()
    alarm = serializers.BooleanField()
    impacts = ImpactAnswer(many=True)
    accuracies = AccuracyGapAnswer(many=True)


class HealthReportItem(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    cause = serializers.ChoiceField(choices=ReportCause.choices)
    status = serializers.ChoiceField(choices=[str(status) for status in HealthStatus])
    made_at = serializers.DateTimeField()
    recommendations = serializers.ListField(child=serializers.DictField())


class HealthReportAnswer(HealthReportItem):
    document = serializers.DictField(help_text="drift, bias and calibration as they stood.")


class MonitoringRunAnswer(serializers.Serializer[Any]):
    task_id = serializers.UUIDField()
    links = serializers.DictField(child=serializers.CharField())


class ReferenceBody(StrictSerializer):
    reason = TextField(max_length=500, help_text="Why claims are now as they are; kept with the reference.")


_DAYS = OpenApiParameter(
    "days", OpenApiTypes.INT, description=f"Look back, 1 to {MOST_DAYS}; {DEFAULT_DAYS} if not given."
)


class DriftView(TenantAPIView):
    """`GET /monitoring/drift`"""

    scopes = {"GET": (Scope.ADMIN,)}

    @extend_schema(operation_id="monitoring_drift", tags=_TAGS, responses=DriftAnswer)
    def get(self, request: Request) -> Response:
        """Tell whether the newest claims still look like those of the reference, and since when not."""
        refuse_parameters(request)
        return Response(drift_data(drift_state(now=timezone.now())))


class BiasView(TenantAPIView):
    """`GET /monitoring/bias`"""

    scopes = {"GET": (Scope.ADMIN,)}

    @extend_schema(operation_id="monitoring_bias", tags=_TAGS, parameters=[_DAYS], responses=BiasAnswer)
    def get(self, request: Request) -> Response:
        """Hold people's decisions and the AI's mistakes against the 80 % rule, group by group."""
        now = timezone.now()
        start = start_of_window(single_parameter(request, "days"), now=now)
        report = bias_of(start=start, end=now)
        return Response({"decided_from": start, "decided_to": now, **bias_data(report)})


class MonitoringRunView(IdempotentCreate):
    """`POST /monitoring/run`"""

    scopes = {"POST": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="monitoring_run",
        tags=_TAGS,
        request=None,
        responses={202: OpenApiResponse(MonitoringRunAnswer, "Its result names the report.")},
    )
    def post(self, request: Request) -> Response:
        """Have the looks that are due made, and a health report of the moment."""
        refuse_parameters(request)
        task_id = request_report(actor=self.principal, now=timezone.now())
        link = reverse("api_tenancy:task", kwargs={"task_id": task_id})
        data = {"task_id": str(task_id), "links": {"task": link}}
        return Response(data, status=202, headers={"Location": link})


class HealthReportsView(TenantAPIView):
    """`GET /monitoring/reports`: newest first."""

    scopes = {"GET": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="monitoring_reports",
        tags=_TAGS,
        responses=listed(HealthReportItem),
        parameters=[
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 100; 25 if not given."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="Of the page before."),
        ],
    )
    def get(self, request: Request) -> Response:
        """List the health reports, newest first."""
        wanted = list_parameters(request, ())
        page = page_of(
            HealthReport.objects.all(), order=_NEWEST_FIRST, limit=wanted.limit, cursor=wanted.cursor, filters={}
        )
        return Response({"items": [_item(report) for report in page.items], "next_cursor": page.next_cursor})


class HealthReportView(TenantAPIView):
    """`GET /monitoring/reports/{id}`"""

    scopes = {"GET": (Scope.ADMIN,)}

    @extend_schema(operation_id="monitoring_report", tags=_TAGS, responses=HealthReportAnswer)
    def get(self, request: Request, report_id: UUID) -> Response:
        """Show one health report as it was made; it never changes."""
        refuse_parameters(request)
        report = HealthReport.objects.filter(id=report_id).first()
        if report is None:
            raise NotFound
        return Response({**_item(report), "document": report.document})


class DriftReferenceView(IdempotentCreate):
    """`POST /monitoring/reference`"""

    scopes = {"POST": (Scope.ADMIN,)}

    @extend_schema(
        operation_id="monitoring_reference",
        tags=_TAGS,
        request=ReferenceBody,
        responses={201: OpenApiResponse(DriftReferenceAnswer, "The reference from now on; `Location` is the drift.")},
    )
    def post(self, request: Request) -> Response:
        """Accept the newest claims as the reference, because this is how claims are now."""
        refuse_parameters(request)
        wanted = ReferenceBody.checked(request.data)
        made = accept_newest_claims(actor=self.principal, reason=wanted["reason"], now=timezone.now())
        data = {
            "number": made.number,
            "model_version": made.model_version,
            "started_at": made.started_at,
            "claims": REFERENCE_CLAIMS,
            "needed": REFERENCE_CLAIMS,
            "reason": made.reason,
        }
        return Response(data, status=201, headers={"Location": reverse("api_aiassist:monitoring-drift")})


def _item(report: HealthReport) -> dict[str, Any]:
    return {
        "id": report.id,
        "cause": report.cause,
        "status": report.status,
        "made_at": report.made_at,
        "recommendations": report.document["recommendations"],
    }
