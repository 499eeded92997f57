"""Closed lists of the review desk."""

from django.db import models

from tenancy.audit import AuditAction
from tenancy.webhooks.catalogue import EventType


class DecisionKind(models.TextChoices):
    APPROVE = "APPROVE", "Approve"
    REJECT = "REJECT", "Reject"
    REQUEST_MORE_INFO = "REQUEST_MORE_INFO", "Request more information"


class LabelState(models.TextChoices):
    """What became of a claim that was drawn for a blind label."""

    WAITING = "WAITING", "Waiting"
    LABELLED = "LABELLED", "Labelled"
    CANNOT_TELL = "CANNOT_TELL", "Cannot be told from the video"


class ReviewAction(AuditAction):
    """What the history can tell of a review."""

    LEASE_TAKEN = "review.lease_taken"
    LEASE_RELEASED = "review.lease_released"
    DECIDED = "review.decided"
    STALE_DECISION_REFUSED = "review.stale_decision_refused"
    CLAIM_REOPENED = "review.reopened"
    LABEL_GIVEN = "label.given"


class ReviewEvent(EventType):
    """What webhooks tell of a review."""

    DECIDED = "claim.decided"
    INFORMATION_REQUESTED = "claim.information_requested"


REVIEW_EVENTS = {
    ReviewEvent.DECIDED: "A person approved or rejected a claim.",
    ReviewEvent.INFORMATION_REQUESTED: "A person needs to know more before the decision.",
}
