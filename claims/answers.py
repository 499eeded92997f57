"""The answers of the claim file as the OpenAPI document describes them; `claims/serializers.py` makes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    FloatField,
    IntegerField,
    JSONField,
    ListField,
    UUIDField,
)

from aiassist.types import EvidenceStage, FraudSource, HazardKind, Outcome, Scenario, Severity, Stage
from claims.choices import ClaimStatus, ReviewPriority
from tenancy.choices import Readability

Shape = serializers.Serializer[Any]

_SEVERITIES = [str(label) for label in Severity]
_OUTCOMES = [str(outcome) for outcome in Outcome]
_STAGES = [str(stage) for stage in Stage]


class ReceiptLinks(Shape):
    self = CharField()
    status = CharField()
    assessment = CharField()


class ClaimLinks(ReceiptLinks):
    video = CharField()


class ReceiptAnswer(Shape):
    id = UUIDField()
    claim_number = CharField()
    status = ChoiceField(choices=ClaimStatus.choices)
    sha256 = CharField(help_text="Of the stored bytes, in hexadecimal.")
    size_bytes = IntegerField()
    duplicate = BooleanField(help_text="The same bytes were here before: this is the claim they came with.")
    links = ReceiptLinks()


class ClaimStatusAnswer(Shape):
    id = UUIDField()
    status = ChoiceField(choices=ClaimStatus.choices)
    stage = ChoiceField(choices=_STAGES, allow_null=True)
    progress_percent = IntegerField(min_value=0, max_value=100)
    attempts = IntegerField()
    error = CharField(allow_null=True, help_text="A stable code, where the claim could not be assessed.")
    received_at = DateTimeField()
    started_at = DateTimeField(allow_null=True)
    finished_at = DateTimeField(allow_null=True)


class ClaimItemAnswer(Shape):
    id = UUIDField()
    claim_number = CharField()
    status = ChoiceField(choices=ClaimStatus.choices)
    review_priority = ChoiceField(choices=ReviewPriority.choices, allow_null=True)
    severity = ChoiceField(choices=_SEVERITIES, allow_null=True)
    outcome = ChoiceField(choices=_OUTCOMES, allow_null=True)
    policy_number = CharField()
    vehicle_plate = CharField()
    loss_at = DateTimeField(allow_null=True)
    stage = ChoiceField(choices=_STAGES, allow_null=True)
    progress_percent = IntegerField(min_value=0, max_value=100)
    received_at = DateTimeField()
    review_due_at = DateTimeField(allow_null=True)
    finished_at = DateTimeField(allow_null=True)
    links = ClaimLinks()


class ClaimantAnswer(Shape):
    name = CharField()
    email = CharField()
    phone = CharField()
    account = CharField()


class VideoAnswer(Shape):
    sha256 = CharField()
    size_bytes = IntegerField()
    media_type = CharField()
    codec = CharField()
    width_px = IntegerField()
    height_px = IntegerField()
    duration_seconds = FloatField(allow_null=True)


class ResubmissionAnswer(Shape):
    claim_number = CharField()
    received_at = DateTimeField()
    submitted_by = UUIDField()


class ClaimAnswer(ClaimItemAnswer):
    version = IntegerField()
    submitted_by = UUIDField()
    loss_location = CharField()
    description = CharField()
    metadata = serializers.DictField()
    file_name = CharField()
    personal_data = ChoiceField(
        choices=Readability.choices,
        help_text="Whether what people told is here; the fields that hold it are empty when it is not.",
    )
    legal_hold_since = DateTimeField(allow_null=True)
    media_removed_at = DateTimeField(allow_null=True, help_text="Since then video and pictures answer 410.")
    erased_at = DateTimeField(allow_null=True)
    claimant = ClaimantAnswer(allow_null=True)
    video = VideoAnswer()
    resubmissions = ResubmissionAnswer(many=True, required=False, help_text="Not shown to a CLIENT.")
    restricted = serializers.BooleanField(required=False, help_text="Not shown to a CLIENT.")


class LegalHoldAnswer(Shape):
    claim_id = UUIDField()
    held_since = DateTimeField(allow_null=True, help_text="Null: there is no hold.")
    reason = CharField(allow_blank=True)


class ErasureAnswer(Shape):
    claim_id = UUIDField()
    erased_at = DateTimeField()
    task_id = UUIDField(help_text="The task that removes the files.")


class PriorityReasonAnswer(Shape):
    code = CharField()
    points = IntegerField()
    detail = CharField()


class FaultRuleAnswer(Shape):
    code = CharField()
    effect = FloatField(help_text="Percentage points.")
    source = CharField()  # type: ignore[assignment]  # a declared field may be called so


class FaultAnswer(Shape):
    fault_ratio = FloatField(min_value=0, max_value=100, help_text="The insured driver's share in percent.")
    interval = ListField(child=FloatField(), min_length=2, max_length=2)
    scenario = ChoiceField(choices=[str(scenario) for scenario in Scenario])
    rules = FaultRuleAnswer(many=True)


class FraudIndicatorAnswer(Shape):
    code = CharField()
    weight = FloatField()
    detail = CharField()


class HazardAnswer(Shape):
    kind = ChoiceField(choices=[str(kind) for kind in HazardKind])
    start_seconds = FloatField()
    end_seconds = FloatField()
    peak_seconds = FloatField(allow_null=True)
    score = FloatField(min_value=0, max_value=1)
    source = CharField()  # type: ignore[assignment]  # a declared field may be called so


class EvidenceAnswer(Shape):
    id = UUIDField()
    kind = CharField()
    start_seconds = FloatField()
    end_seconds = FloatField()
    at_seconds = FloatField()
    stage = ChoiceField(choices=[str(stage) for stage in EvidenceStage])
    measure = CharField()
    value = FloatField()
    threshold = FloatField()
    url = CharField(allow_null=True, help_text="The annotated picture, where there is one.")


class ProviderAnswer(Shape):
    name = CharField()
    model = CharField()
    attempts = IntegerField()
    prompt_version = CharField()


class ChangeAnswer(Shape):
    field = CharField(help_text="As it is called in this answer; `provider` with its model.")
    before = JSONField(allow_null=True)
    after = JSONField(allow_null=True)


class TaskLinks(Shape):
    task = CharField()


class TaskAcceptedAnswer(Shape):
    task_id = UUIDField()
    links = TaskLinks()


class AssessmentAnswer(Shape):
    """What a CLIENT does not see is marked."""

    id = UUIDField()
    claim_id = UUIDField()
    version = IntegerField()
    previous_version = IntegerField(allow_null=True, help_text="Still there: `?version=` shows it.")
    changes = ChangeAnswer(many=True, help_text="What differs from the previous version.")
    outcome = ChoiceField(choices=_OUTCOMES)
    reason_code = CharField(allow_null=True)
    severity = ChoiceField(choices=_SEVERITIES, allow_null=True)
    confidence = FloatField(min_value=0, max_value=1)
    prediction_set = ListField(
        child=ChoiceField(choices=_SEVERITIES), help_text="Empty: none of the four classes fits."
    )
    coverage_target = FloatField()
    calibrated = BooleanField()
    calibration_source = ChoiceField(choices=["RENDERED", "TENANT"])
    review_priority = ChoiceField(choices=ReviewPriority.choices)
    priority_reasons = PriorityReasonAnswer(many=True, required=False, help_text="Not shown to a CLIENT.")
    fault_assessment = FaultAnswer()
    fraud_risk_score = FloatField(min_value=0, max_value=1, required=False, help_text="Not shown to a CLIENT.")
    fraud_indicators = FraudIndicatorAnswer(many=True, required=False, help_text="Not shown to a CLIENT.")
    fraud_source = ChoiceField(
        choices=[str(source) for source in FraudSource],
        required=False,
        help_text="Points set by hand, or also the tenant's own model. Not shown to a CLIENT.",
    )
    fraud_model = CharField(required=False, help_text="The version that made the score. Not shown to a CLIENT.")
    hazards = HazardAnswer(many=True)
    evidence = EvidenceAnswer(many=True)
    summary = CharField()
    provider = ProviderAnswer(required=False, help_text="Not shown to a CLIENT.")
    degraded = BooleanField()
    service_level = ChoiceField(choices=["FULL", "DEGRADED", "MINIMAL", "UNAVAILABLE"])
    processing_seconds = FloatField()
    created_at = DateTimeField()
