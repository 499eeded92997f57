"""The order of work, as pure rules: an opinion and the tenant's policy give a priority, its reasons and a due time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiassist.assessment.opinions import UNFAMILIAR_VIDEO
from aiassist.types import Opinion, Outcome, Severity
from claims.choices import QUEUE_RANK, ReviewPriority
from tenancy.policy import TenantPolicy

# A fraud score from here on is a reason to look sooner than "whenever", though not at once. Half of the default
# threshold for "urgent"; below it single weak signs (a re-encoded file weighs 0.05) say nothing.
_FRAUD_NOTABLE_SHARE = 0.5
_WIDE_SET = 3


@dataclass(frozen=True)
class PriorityReason:
    """Why a claim stands where it stands. 50 points make a claim urgent by themselves."""

    code: str
    points: int
    detail: str


@dataclass(frozen=True)
class Triage:
    priority: ReviewPriority
    points: int
    reasons: tuple[PriorityReason, ...]
    due_at: datetime


def triage(*, opinion: Opinion, policy: TenantPolicy, now: datetime) -> Triage:
    """Return priority, reasons and due time.

    URGENT when the set contains HIGH, is empty or holds three labels and more, or fraud reaches the tenant's threshold.
    LOW_PRIORITY for nothing but the singleton {NONE}, calibrated, assessed, with low fraud, and with a vision model
    (or where the tenant allows it without one). Everything else is STANDARD. An opinion that is not assessable rules no
    label out, so the first rule makes it urgent.
    """
    urgent = _urgent_reasons(opinion, policy)
    standard = _standard_reasons(opinion, policy)
    if urgent:
        priority = ReviewPriority.URGENT
    elif standard:
        priority = ReviewPriority.STANDARD
    else:
        priority = ReviewPriority.LOW_PRIORITY
        standard = [PriorityReason("only_none_possible", 0, "No impact on the vehicle is the only possible severity.")]
    reasons = tuple(sorted([*urgent, *standard], key=lambda reason: -reason.points))
    return Triage(priority, sum(r.points for r in reasons), reasons, now + _review_time(priority, policy))


def not_lowered(order: Triage, *, standing: ReviewPriority, version: int) -> Triage:
    """Return the order of a claim that has a class already: a newer opinion raises it, people alone lower it."""
    if QUEUE_RANK[standing] >= QUEUE_RANK[order.priority]:
        return order
    detail = f"Version {version} made it {standing.label.lower()}; a newer opinion never lowers a waiting claim."
    kept = PriorityReason("priority_kept", 0, detail)
    return replace(order, priority=standing, reasons=(*order.reasons, kept))


def _urgent_reasons(opinion: Opinion, policy: TenantPolicy) -> list[PriorityReason]:
    possible = opinion.severity.prediction_set
    reasons: list[PriorityReason] = []
    if Severity.HIGH in possible:
        reasons.append(PriorityReason("set_contains_high", 50, "High severity cannot be ruled out."))
    if not possible:
        reasons.append(PriorityReason("set_empty", 50, "None of the four severities fits what was measured."))
    if len(possible) >= _WIDE_SET:
        reasons.append(PriorityReason("set_wide", 50, f"{len(possible)} of 4 severities are possible."))
    if opinion.fraud.score >= policy.fraud_urgent_threshold:
        detail = f"Fraud risk {opinion.fraud.score:.2f} reaches the threshold {policy.fraud_urgent_threshold:.2f}."
        reasons.append(PriorityReason("fraud_above_threshold", 50, detail))
    return reasons


def _standard_reasons(opinion: Opinion, policy: TenantPolicy) -> list[PriorityReason]:
    """Everything that forbids LOW_PRIORITY; together they stay below the 50 points of an urgent reason."""
    possible = opinion.severity.prediction_set
    reasons: list[PriorityReason] = []
    if opinion.outcome == Outcome.NOT_ASSESSABLE:
        reasons.append(PriorityReason("not_assessable", 10, f"No judgement was possible ({opinion.reason_code})."))
    if len(possible) == 2:  # the two sizes between "sure" and "wide"
        reasons.append(PriorityReason("set_has_two_labels", 15, f"Possible: {' or '.join(possible)}."))
    elif len(possible) == 1 and possible[0] not in (Severity.NONE, Severity.HIGH):
        reasons.append(PriorityReason("impact_on_vehicle", 10, f"Severity {possible[0]} is the only possible one."))
    if policy.fraud_urgent_threshold * _FRAUD_NOTABLE_SHARE <= opinion.fraud.score < policy.fraud_urgent_threshold:
        detail = f"Fraud risk {opinion.fraud.score:.2f} is worth a look."
        reasons.append(PriorityReason("fraud_notable", 10, detail))
    if (opinion.degraded or opinion.degraded_reasons) and not policy.low_priority_without_model:
        missing = ", ".join(name.replace("_", " ") for name in opinion.degraded_reasons) or "vision model"
        reasons.append(PriorityReason("degraded", 5, f"Judged without: {missing}."))
    if UNFAMILIAR_VIDEO in opinion.degraded_reasons:
        reasons.append(PriorityReason("unfamiliar_video", 5, "The video differs from all that the model has learned."))
    if not opinion.severity.calibrated:
        reasons.append(PriorityReason("not_calibrated", 5, "The set of possible severities carries no guarantee."))
    return reasons


def _review_time(priority: ReviewPriority, policy: TenantPolicy) -> timedelta:
    hours = {
        ReviewPriority.URGENT: policy.review_hours_urgent,
        ReviewPriority.STANDARD: policy.review_hours_standard,
        ReviewPriority.LOW_PRIORITY: policy.review_hours_low,
    }
    return timedelta(hours=hours[priority])
