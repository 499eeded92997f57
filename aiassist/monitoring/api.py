"""The monitoring over HTTP, for the administrators of a tenant."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aiassist.assessment.tenant_conformal import FEWEST_PER_CLASS, TENANT
from aiassist.assessment.training import RENDERED
from aiassist.monitoring.coverage import FEWEST_LABELS, Coverage, CoverageState
from aiassist.monitoring.selectors import CalibrationState, calibration_state
from aiassist.monitoring.window import DEFAULT_DAYS, MOST_DAYS, start_of_window
from aiassist.types import Severity
from tenancy.base_api import TenantAPIView
from tenancy.choices import Scope
from tenancy.listing import single_parameter

_SEVERITIES = [str(label) for label in Severity]


class CoverageAnswer(serializers.Serializer[Any]):
    labels = serializers.IntegerField(help_text="Blind labels of people.")
    coverage = serializers.FloatField(allow_null=True, help_text="Share of sets that held the label; null without any.")
    interval = serializers.ListField(
        child=serializers.FloatField(), min_length=2, max_length=2, allow_null=True, help_text="Wilson, 95 %."
    )
    mean_set_size = serializers.FloatField(allow_null=True)
    state = serializers.ChoiceField(
        choices=[str(state) for state in CoverageState],
        help_text=f"Below {FEWEST_LABELS} labels nothing is said; BELOW_TARGET is the alarm: hardly chance any more.",
    )


class ClassCoverageAnswer(CoverageAnswer):
    severity = serializers.ChoiceField(choices=_SEVERITIES)
    calibration_cases = serializers.IntegerField(help_text="Of the present severity model.")
    allowed_misses = serializers.FloatField(
        allow_null=True, help_text="The share that the class allows itself now (adaptive); null under RENDERED."
    )


class MonthCoverageAnswer(CoverageAnswer):
    month = serializers.CharField(help_text="YYYY-MM")


class CalibrationAnswer(serializers.Serializer[Any]):
    labelled_from = serializers.DateTimeField()
    labelled_to = serializers.DateTimeField()
    coverage_target = serializers.FloatField()
    alarm = serializers.BooleanField(help_text="The promise is broken somewhere, beyond chance.")
    calibration_source = serializers.ChoiceField(choices=[RENDERED, TENANT])
    model_version = serializers.CharField()
    needed_per_class = serializers.IntegerField(help_text="Cases of every class before TENANT takes over.")
    cannot_tell = serializers.IntegerField(help_text="Drawn videos of which a person said that they do not show it.")
    overall = CoverageAnswer()
    classes = ClassCoverageAnswer(many=True)
    over_time = MonthCoverageAnswer(many=True)


_COVERAGE_VALUE = {
    "labels": 212,
    "coverage": 0.917,
    "interval": [0.8722, 0.9472],
    "mean_set_size": 1.84,
    "state": "ON_TARGET",
}
_VALUE = {
    "labelled_from": "2025-09-03T10:00:00Z",
    "labelled_to": "2026-03-02T10:00:00Z",
    "coverage_target": 0.9,
    "alarm": False,
    "calibration_source": "TENANT",
    "model_version": "severity-1",
    "needed_per_class": FEWEST_PER_CLASS,
    "cannot_tell": 6,
    "overall": _COVERAGE_VALUE,
    "classes": [{**_COVERAGE_VALUE, "severity": "HIGH", "calibration_cases": 53, "allowed_misses": 0.094}],
    "over_time": [{**_COVERAGE_VALUE, "month": "2026-02"}],
}
_CALIBRATION: dict[str, Any] = {
    "operation_id": "monitoring_calibration",
    "tags": ["Monitoring"],
    "summary": "How often the AI's set of severities held what a blind person saw",
    "description": "Live coverage against the labels of randomly drawn claims, overall, per class and per month, "
    "weighted by how they were drawn. Where labels are too few it says so and gives no verdict.",
    "parameters": [
        OpenApiParameter(
            "days", OpenApiTypes.INT, description=f"Look back, 1 to {MOST_DAYS}; {DEFAULT_DAYS} if not given."
        )
    ],
    "responses": {
        200: OpenApiResponse(
            CalibrationAnswer, "The figures.", [OpenApiExample("Example", value=_VALUE, response_only=True)]
        )
    },
}


class CalibrationView(TenantAPIView):
    """`GET /monitoring/calibration`."""

    scopes = {"GET": (Scope.ADMIN,)}

    @extend_schema(**_CALIBRATION)
    def get(self, request: Request) -> Response:
        now = timezone.now()
        days = single_parameter(request, "days")
        return Response(calibration_data(calibration_state(start=start_of_window(days, now=now), end=now)))


def calibration_data(state: CalibrationState) -> dict[str, Any]:
    """Return the state as the API shows it."""
    report, in_force = state.report, state.in_force
    return {
        "labelled_from": state.start,
        "labelled_to": state.end,
        "coverage_target": report.overall.target,
        "alarm": report.alarm,
        "calibration_source": TENANT if in_force else RENDERED,
        "model_version": state.model_version,
        "needed_per_class": FEWEST_PER_CLASS,
        "cannot_tell": state.cannot_tell,
        "overall": _coverage(report.overall),
        "classes": [
            {
                "severity": str(label),
                **_coverage(report.classes[label]),
                "calibration_cases": state.cases[label],
                "allowed_misses": round(in_force.allowed_misses[label], 4) if in_force else None,
            }
            for label in Severity
        ],
        "over_time": [{"month": month, **_coverage(found)} for month, found in report.months.items()],
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "labels": coverage.count,
        "coverage": coverage.share,
        "interval": [coverage.low, coverage.high] if coverage.share is not None else None,
        "mean_set_size": coverage.mean_set_size,
        "state": str(coverage.state),
    }
