"""What comes in with a claim, field by field; anything else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from rest_framework import serializers

from claims.notices import ClaimantDetails, LossNotice
from observability.errors import FieldProblem, InvalidInput, TooLarge
from tenancy.inputs import AwareDateTimeField, StrictSerializer, TextField
from tenancy.parsers import parse_object

# A claim's own remarks; what is longer belongs into a document.
_LONGEST_DESCRIPTION = 5_000
_LARGEST_METADATA_BYTES = 16 * 1024
_DEEPEST_METADATA = 6
# Clocks of phones and cameras run ahead; a loss further in the future than a time zone's width is a mistake.
_FUTURE_TOLERANCE = timedelta(hours=26)
_EARLIEST_LOSS = datetime(1990, 1, 1, tzinfo=UTC)


class JsonTextField(serializers.Field[dict[str, Any], Any, Any, Any]):
    """A JSON object written as text in a form field."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            return parse_object(str(data).encode("utf-8", errors="strict"), limit=_LARGEST_METADATA_BYTES)
        except UnicodeEncodeError as problem:
            raise serializers.ValidationError("The text is not valid Unicode.", code="invalid") from problem
        except TooLarge as problem:
            detail = f"At most {_LARGEST_METADATA_BYTES} bytes fit here."
            raise serializers.ValidationError(detail, code="too_large") from problem
        except InvalidInput as problem:
            detail = problem.problems[0].detail if problem.problems else problem.message
            raise serializers.ValidationError(detail, code="invalid_json") from problem

    def to_representation(self, value: Any) -> Any:
        return value


class ClaimantSerializer(StrictSerializer):
    name = TextField(max_length=150, required=False, default="", allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, default="", allow_blank=True)
    phone = TextField(max_length=40, required=False, default="", allow_blank=True)
    account = TextField(max_length=64, required=False, default="", allow_blank=True)


class ClaimantField(JsonTextField):
    """The claimant as JSON text."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return ClaimantSerializer.checked(super().to_internal_value(data))


class LossNoticeSerializer(StrictSerializer):
    """The fields of `POST /claims/upload` beside the video."""

    claim_number = serializers.CharField(min_length=1, max_length=64)
    policy_number = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)
    loss_at = AwareDateTimeField(required=False, allow_null=True, default=None)
    loss_location = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    description = serializers.CharField(max_length=_LONGEST_DESCRIPTION, required=False, default="", allow_blank=True)
    claimant = ClaimantField(required=False, default=None)
    vehicle_plate = serializers.CharField(max_length=20, required=False, default="", allow_blank=True)
    metadata = JsonTextField(required=False, default=dict)

    def validate_claim_number(self, value: str) -> str:
        if not value.isprintable():
            raise serializers.ValidationError("Only visible characters may stand here.", code="invalid")
        return value

    def validate_loss_at(self, value: datetime | None) -> datetime | None:
        if value is not None and not _EARLIEST_LOSS <= value <= timezone.now() + _FUTURE_TOLERANCE:
            raise serializers.ValidationError("The loss must lie between 1990 and now.", code="out_of_range")
        return value

    def validate_metadata(self, value: dict[str, Any]) -> dict[str, Any]:
        if _depth(value) > _DEEPEST_METADATA:
            detail = f"At most {_DEEPEST_METADATA} levels may be nested here."
            raise serializers.ValidationError(detail, code="too_deep")
        return value


def loss_notice_from(form: Mapping[str, Any]) -> LossNotice:
    """Return the validated notice of an upload form; raises InvalidInput or DRF's ValidationError."""
    lists = form.lists() if isinstance(form, QueryDict) else ()  # an empty body is no form
    repeated = [name for name, values in lists if len(values) > 1]
    if repeated:
        raise InvalidInput(
            problems=[FieldProblem(f"/{name[:64]}", "repeated", "Give this field once.") for name in repeated]
        )
    # An empty text in a form means "not given"; a required field stays and is refused as blank.
    given = {name: value for name, value in form.items() if value != "" or name == "claim_number"}
    fields = LossNoticeSerializer.checked(given)
    claimant = fields.pop("claimant")
    return LossNotice(**fields, claimant=ClaimantDetails(**claimant) if claimant else None)


def _depth(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
