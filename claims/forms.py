"""The form with which a claim is handed in, and the filter of the list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from claims.choices import ClaimStatus
from claims.notices import ClaimantDetails, LossNotice

_LONGEST_DESCRIPTION = 5_000
# A phone's clock runs ahead at most by a time zone's width; a loss later than that is a slip of the pen.
_FUTURE_TOLERANCE = timedelta(hours=26)


class ClaimForm(forms.Form):
    """The fields beside the video; the file itself streams past this form into quarantine."""

    claim_number = forms.CharField(max_length=64, error_messages={"required": "Give the claim its number."})
    policy_number = forms.CharField(max_length=64, required=False)
    loss_at = forms.DateTimeField(required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
    loss_location = forms.CharField(max_length=200, required=False)
    vehicle_plate = forms.CharField(max_length=20, required=False)
    description = forms.CharField(max_length=_LONGEST_DESCRIPTION, required=False)
    claimant_name = forms.CharField(max_length=150, required=False)
    claimant_email = forms.EmailField(max_length=254, required=False)
    claimant_phone = forms.CharField(max_length=40, required=False)

    def clean_claim_number(self) -> str:
        number: str = self.cleaned_data["claim_number"]
        if not number.isprintable():
            raise forms.ValidationError("Only visible characters may stand here.")
        return number

    def clean_loss_at(self) -> datetime | None:
        loss_at: datetime | None = self.cleaned_data["loss_at"]
        if loss_at is not None and loss_at > timezone.now() + _FUTURE_TOLERANCE:
            raise forms.ValidationError("The loss lies in the future.")
        return loss_at

    def notice(self) -> LossNotice:
        """Return the valid form as the service takes it."""
        values = self.cleaned_data
        claimant = ClaimantDetails(
            name=values["claimant_name"], email=values["claimant_email"], phone=values["claimant_phone"]
        )
        return LossNotice(
            claim_number=values["claim_number"],
            policy_number=values["policy_number"],
            loss_at=values["loss_at"],
            loss_location=values["loss_location"],
            description=values["description"],
            vehicle_plate=values["vehicle_plate"],
            claimant=claimant if claimant != ClaimantDetails() else None,
        )


class ListFilterForm(forms.Form):
    """What the address of the list may ask for; anything else is ignored on a page."""

    q = forms.CharField(max_length=100, required=False)
    status = forms.ChoiceField(choices=[("", "Any status"), *ClaimStatus.choices], required=False)

    def chosen(self) -> dict[str, str]:
        """Return the filters that are set and valid."""
        self.is_valid()
        values: dict[str, Any] = self.cleaned_data
        return {name: value for name, value in values.items() if value}
