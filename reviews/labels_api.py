"""Blind labels over HTTP: the next video without anything that was thought of it, and the person's own severity."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aiassist.types import Severity
from reviews.api_schema import refused
from reviews.choices import LabelState
from reviews.errors import AlreadyLabelled, NotBlind
from reviews.labels import give_label, labels_waiting_for, places_of
from reviews.models import BlindLabel
from reviews.pages.media import video_url
from tenancy.base_api import TenantAPIView
from tenancy.choices import Scope
from tenancy.idempotency import IdempotentCreate
from tenancy.inputs import StrictSerializer
from tenancy.listing import refuse_parameters

_SEVERITIES = [(label.value, label.value) for label in Severity]
_LABEL = "01920b8c-0000-7000-8000-000000000077"


class PlaceAnswer(serializers.Serializer[Any]):
    start_seconds = serializers.FloatField()
    end_seconds = serializers.FloatField()


class BlindLabelTask(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    drawn_at = serializers.DateTimeField()
    video_url = serializers.CharField()
    duration_seconds = serializers.FloatField(allow_null=True)
    places = PlaceAnswer(many=True, help_text="Where something was measured; not what.")


class BlindLabelBody(StrictSerializer):
    severity = serializers.ChoiceField(
        choices=_SEVERITIES, allow_null=True, help_text="null: it cannot be told from the video."
    )


class BlindLabelAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=LabelState.choices)
    severity = serializers.ChoiceField(choices=_SEVERITIES, allow_null=True)
    labelled_at = serializers.DateTimeField()


_TASK_VALUE = {
    "id": _LABEL,
    "drawn_at": "2026-03-02T09:20:00Z",
    "video_url": "/api/v1/claims/01920b6e-5f0c-7a51-9d4e-0d5b8c1c7e11/video",
    "duration_seconds": 12.4,
    "places": [{"start_seconds": 4.3, "end_seconds": 4.9}],
}
_GIVEN_VALUE = {"id": _LABEL, "state": "LABELLED", "severity": "LOW", "labelled_at": "2026-03-02T10:00:00Z"}
_NEXT: dict[str, Any] = {
    "operation_id": "review_label_next",
    "tags": ["Reviews"],
    "summary": "The oldest video that waits for a blind label by the caller",
    "description": "A share of the decided claims is drawn at random (`blind_label_share`). The answer holds neither "
    "the AI's values nor the first decision; whoever submitted or decided the claim is not asked.",
    "responses": {
        200: OpenApiResponse(
            BlindLabelTask, "A video.", [OpenApiExample("Example", value=_TASK_VALUE, response_only=True)]
        ),
        204: OpenApiResponse(description="Nothing waits for the caller."),
    },
}
_GIVE: dict[str, Any] = {
    "operation_id": "review_label_give",
    "tags": ["Reviews"],
    "summary": "Say the severity that the video shows",
    "description": "Once, by a person who has not decided the claim. It becomes a calibration case of the tenant.",
    "request": BlindLabelBody,
    "examples": [OpenApiExample("Low", value={"severity": "LOW"}, request_only=True)],
    "responses": {
        201: OpenApiResponse(
            BlindLabelAnswer, "Recorded.", [OpenApiExample("Example", value=_GIVEN_VALUE, response_only=True)]
        ),
        403: OpenApiResponse(
            OpenApiTypes.OBJECT, "The role, or the caller is involved.", [refused("not_blind", NotBlind.message, 403)]
        ),
        404: OpenApiResponse(OpenApiTypes.OBJECT, "No such label in this tenant."),
        409: OpenApiResponse(
            OpenApiTypes.OBJECT, "Somebody was faster.", [refused("already_labelled", AlreadyLabelled.message, 409)]
        ),
    },
}


class NextLabelView(TenantAPIView):
    """`GET /reviews/labels/next`."""

    scopes = {"GET": (Scope.REVIEW,)}

    @extend_schema(**_NEXT)
    def get(self, request: Request) -> Response:
        refuse_parameters(request)
        label = labels_waiting_for(self.principal).first()
        return Response(_task_data(label)) if label else Response(status=204)


class LabelView(IdempotentCreate):
    """`POST /reviews/labels/{label_id}`."""

    scopes = {"POST": (Scope.REVIEW,)}

    @extend_schema(**_GIVE)
    def post(self, request: Request, label_id: UUID) -> Response:
        refuse_parameters(request)
        body = BlindLabelBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data["severity"]
        severity = Severity(given) if given else None
        label = give_label(label_id=label_id, actor=self.principal, severity=severity, now=timezone.now())
        return Response(_given_data(label), status=201)


def _task_data(label: BlindLabel) -> dict[str, Any]:
    return {
        "id": str(label.id),
        "drawn_at": label.drawn_at,
        "video_url": video_url(label.claim_id),
        "duration_seconds": label.claim.video.duration_seconds,
        "places": [{"start_seconds": p.start_seconds, "end_seconds": p.end_seconds} for p in places_of(label)],
    }


def _given_data(label: BlindLabel) -> dict[str, Any]:
    return {
        "id": str(label.id),
        "state": label.state,
        "severity": label.severity or None,
        "labelled_at": label.labelled_at,
    }
