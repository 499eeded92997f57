"""What comes in when claims are to be assessed again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.request import Request

from claims.choices import REASSESSABLE, ReviewPriority
from claims.services import MOST_CLAIMS
from observability.errors import FieldProblem, InvalidInput
from tenancy.inputs import AwareDateTimeField, JSONBoolean, JSONWhole, StrictSerializer, TextField
from tenancy.listing import single_parameters

_LONGEST_REASON = 500


class ReassessBody(StrictSerializer):
    reason = TextField(
        max_length=_LONGEST_REASON, required=False, default="", allow_blank=True, help_text="Kept in the history."
    )


class RunFilter(StrictSerializer):
    """Which claims: all of these hold. Only claims that no person has decided are looked at."""

    status = serializers.ChoiceField(choices=sorted(REASSESSABLE), required=False)
    priority = serializers.ChoiceField(choices=ReviewPriority.choices, required=False)
    received_after = AwareDateTimeField(required=False)
    received_before = AwareDateTimeField(required=False)
    assessed_before = AwareDateTimeField(required=False, help_text="The newest opinion is older.")
    degraded = JSONBoolean(required=False, help_text="The newest opinion was made with something missing.")
    model_version = TextField(max_length=80, required=False, help_text="The newest opinion is of this model.")


class RunClaimsBody(ReassessBody):
    """Either `claim_ids` or `filter`."""

    claim_ids = serializers.ListField(
        child=serializers.UUIDField(), allow_empty=False, max_length=MOST_CLAIMS, required=False
    )
    filter = RunFilter(required=False)
    limit = JSONWhole(
        min_value=1,
        max_value=MOST_CLAIMS,
        required=False,
        default=MOST_CLAIMS,
        help_text="With `filter`: the first so many of the queue.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("claim_ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError("Give either claim_ids or filter.", code="one_of")
        return attrs


def version_wanted(request: Request | HttpRequest) -> int | None:
    """Return the version that the query names, None for the newest; raises InvalidInput, UnknownParameter."""
    text = single_parameters(request, known=("version",)).get("version")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0:
        return int(text)
    raise InvalidInput(problems=[FieldProblem("/version", "out_of_range", "A whole number from 1 on.")])
