"""The decision form: the person's values beside the AI's; what differs becomes an override that needs a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from aiassist.types import Severity
from claims.models import Assessment
from claims.pages.badges import SEVERITY_BADGES
from claims.privacy_inputs import LONGEST_REASON
from reviews.actions import MOST_WORDS, DecisionDraft, Override, overrides_of
from reviews.choices import DecisionKind

FRAUD_SUSPECTED, FRAUD_NOT_SUSPECTED = "suspected", "not_suspected"
FRAUD_CHOICES = ((FRAUD_NOT_SUSPECTED, "Not suspected"), (FRAUD_SUSPECTED, "Suspected"))
_OUTCOME_LABELS = {
    DecisionKind.APPROVE: "Approve",
    DecisionKind.REJECT: "Reject",
    DecisionKind.REQUEST_MORE_INFO: "Ask for more",
}


class DecisionForm(forms.Form):
    """`assessment` is the one the person saw; it supplies the first values and tells what differs."""

    decision = forms.ChoiceField(
        choices=list(_OUTCOME_LABELS.items()), error_messages={"required": "Choose an outcome."}
    )
    severity = forms.ChoiceField(choices=[("", "Not judged"), *((s, b.word) for s, b in SEVERITY_BADGES.items())])
    fault_pct = forms.FloatField(min_value=0, max_value=100, required=False)
    fraud = forms.ChoiceField(choices=FRAUD_CHOICES)
    reasoning = forms.CharField(
        max_length=MOST_WORDS, error_messages={"required": "Say in a sentence why you decide so."}
    )
    override_reason = forms.CharField(max_length=MOST_WORDS, required=False)
    assessment_id = forms.UUIDField(widget=forms.HiddenInput)
    lease_token = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        assessment: Assessment,
        fraud_threshold: float,
        lease_token: UUID | None = None,
    ) -> None:
        self.assessment = assessment
        self.fraud_threshold = fraud_threshold
        first_values = {
            "severity": assessment.severity,
            "fault_pct": shown_fault(assessment),
            "fraud": self.suggested_fraud,
            "assessment_id": assessment.id,
            "lease_token": lease_token,
        }
        super().__init__(data=data, initial=first_values)
        # Where the AI gives no severity, a person may leave it open too; else one of the four is the answer.
        self.fields["severity"].required = bool(assessment.severity)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return values
        if self.overrides() and not values["override_reason"].strip():
            self.add_error("override_reason", "A value differs from the AI's. Say why.")
        return values

    @property
    def suggested_fraud(self) -> str:
        """The AI's side of the question: it counts as suspected from the tenant's threshold on."""
        return FRAUD_SUSPECTED if self.assessment.fraud_risk_score >= self.fraud_threshold else FRAUD_NOT_SUSPECTED

    @property
    def suggested_fault(self) -> str:
        return str(shown_fault(self.assessment))

    def overrides(self) -> dict[str, Override]:
        """Return what differs from the AI's values in the valid form."""
        return overrides_of(self.draft(), self.assessment, fraud_threshold=self.fraud_threshold)

    def draft(self) -> DecisionDraft:
        """Return the valid form as the service takes it; a value left as it was shown is no override."""
        values = self.cleaned_data
        fault = values["fault_pct"]
        untouched = fault is None or fault == shown_fault(self.assessment)
        return DecisionDraft(
            decision=DecisionKind(values["decision"]),
            reasoning=values["reasoning"],
            assessment_id=values["assessment_id"],
            lease_token=values["lease_token"],
            severity_override=Severity(values["severity"]) if values["severity"] else None,
            fault_override_pct=None if untouched else fault,
            fraud_override=values["fraud"] == FRAUD_SUSPECTED,
            override_reason=values["override_reason"],
        )


def shown_fault(assessment: Assessment) -> int:
    """Return the AI's fault share as the page shows it: decimals would feign precision, rounding is no disagreement."""
    return round(assessment.suggested_fault_pct)


class HoldForm(forms.Form):
    """Why a legal hold is set or lifted."""

    hold_reason = forms.CharField(max_length=LONGEST_REASON, error_messages={"required": "Say why."})


class EraseForm(forms.Form):
    """An erasure, confirmed by typing the claim's number."""

    confirm = forms.CharField(max_length=64)
    erase_reason = forms.CharField(max_length=LONGEST_REASON, required=False)

    def __init__(self, *args: Any, claim_number: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._claim_number = claim_number

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"]
        if typed != self._claim_number:
            raise forms.ValidationError("This is not the number of this claim.", code="not_confirmed")
        return typed
