"""What a fraud model may see of a claim: numbers about when and how it was handed in, as they stood at that moment.

No name, no contact, no free text, no place: only counts, spans and sizes. They are kept with the assessment, so that
training later sees exactly what was known when the claim was assessed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiassist.types import Circumstances
from claims.models import Claim, Party, Policy
from claims.models.told import Contact
from claims.selectors import claimant_of
from tenancy.choices import Readability

_HOUR_SECONDS = 3600.0
_FREQUENT = timedelta(days=365)
_SATURDAY = 5


def circumstances_of(claim: Claim) -> Circumstances:
    """Return the values by name; one that cannot be known is None. `claim.video` is loaded. Costs three queries."""
    claimant = claimant_of(claim)
    policy = Policy.objects.filter(id=claim.policy_id).first() if claim.policy_id else None
    return {**_report(claim), **_cover(claim, policy), **_told(claim, claimant), **_recording(claim)}


def _report(claim: Claim) -> Circumstances:
    loss = claim.loss_at
    return {
        "report_delay_hours": _rounded((claim.received_at - loss).total_seconds() / _HOUR_SECONDS) if loss else None,
        "loss_hour_utc": float(loss.astimezone(UTC).hour) if loss else None,
        "loss_on_weekend": float(loss.astimezone(UTC).weekday() >= _SATURDAY) if loss else None,
    }


def _cover(claim: Claim, policy: Policy | None) -> Circumstances:
    at = claim.loss_at or claim.received_at
    since = claim.received_at - _FREQUENT
    earlier = Claim.objects.filter(policy_id=claim.policy_id, received_at__gte=since).exclude(id=claim.id)
    return {
        "policy_known": float(policy is not None),
        "policy_age_days": _days(at, policy.effective_on.toordinal()) if policy else None,
        "policy_left_days": -_days(at, policy.expires_on.toordinal()) if policy else None,
        "claims_on_policy_in_a_year": float(earlier.count()) if policy else None,
    }


def _told(claim: Claim, claimant: Party | None) -> Circumstances:
    told, contact = claim.told, claimant.contact if claimant else Contact()
    contacts = (contact.email, contact.phone, contact.account)
    known = told.state == contact.state == Readability.READABLE
    return {
        "description_words": float(len(told.description.split())) if known else None,
        "place_told": float(bool(told.loss_location)) if known else None,
        "plate_told": float(bool(told.vehicle_plate)) if known else None,
        "claimant_told": float(claimant is not None),
        "contacts_told": float(sum(map(bool, contacts))) if known else None,
    }


def _recording(claim: Claim) -> Circumstances:
    video = claim.video
    seconds = video.duration_seconds
    return {
        "video_seconds": _rounded(seconds) if seconds else None,
        "video_megapixels": _rounded(video.width_px * video.height_px / 1e6),
        "video_megabits_per_second": _rounded(video.size_bytes * 8 / 1e6 / seconds) if seconds else None,
    }


def _days(at: datetime, ordinal: int) -> float:
    return float(at.astimezone(UTC).date().toordinal() - ordinal)


def _rounded(number: float) -> float:
    return round(number, 3)
