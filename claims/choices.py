"""Closed lists of the claim file."""

from django.db import models

from tenancy.audit import AuditAction
from tenancy.webhooks.catalogue import EventType


class ClaimStatus(models.TextChoices):
    """`FAILED` only where not even a person could look at it; the allowed moves stand in `claims/workflow.py`."""

    RECEIVED = "RECEIVED", "Received"
    PROCESSING = "PROCESSING", "Being assessed"
    AWAITING_REVIEW = "AWAITING_REVIEW", "Awaiting review"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"
    INFO_REQUESTED = "INFO_REQUESTED", "Information requested"
    FAILED = "FAILED", "Failed"


# A person has not decided yet, and there is a first opinion to stand beside.
REASSESSABLE = frozenset({ClaimStatus.AWAITING_REVIEW, ClaimStatus.INFO_REQUESTED})

# Nothing is left to do; from here on the time runs for which things are kept.
CLOSED = frozenset({ClaimStatus.APPROVED, ClaimStatus.REJECTED, ClaimStatus.FAILED})


class ReviewPriority(models.TextChoices):
    URGENT = "URGENT", "Urgent"
    STANDARD = "STANDARD", "Standard"
    LOW_PRIORITY = "LOW_PRIORITY", "Low priority"


# The order of the queue; a claim that waits too long moves up by one.
QUEUE_RANK: dict[str, int] = {ReviewPriority.URGENT: 0, ReviewPriority.STANDARD: 1, ReviewPriority.LOW_PRIORITY: 2}


class ReassessmentState(models.TextChoices):
    """`SKIPPED`: the claim took no new opinion (decided meanwhile, say). `FAILED`: every attempt was spent."""

    PENDING = "PENDING", "Pending"
    DONE = "DONE", "Done"
    SKIPPED = "SKIPPED", "Skipped"
    FAILED = "FAILED", "Failed"


class PartyRole(models.TextChoices):
    CLAIMANT = "CLAIMANT", "Claimant"
    INSURED = "INSURED", "Insured"
    THIRD_PARTY = "THIRD_PARTY", "Third party"


class ClaimAction(AuditAction):
    """What the history of a claim can tell."""

    RECEIVED = "claim.received"
    RESUBMITTED = "claim.resubmitted"
    PROCESSING_STARTED = "claim.processing_started"
    ASSESSED = "claim.assessed"
    PRIORITY_RAISED = "claim.priority_raised"
    REASSESSMENT_REQUESTED = "claim.reassessment_requested"
    REASSESSED = "claim.reassessed"
    REASSESSMENT_FAILED = "claim.reassessment_failed"
    RESTRICTED = "claim.restricted"
    RESTRICTION_LIFTED = "claim.restriction_lifted"
    ACCESS_GRANTED = "claim.access_granted"
    ACCESS_REVOKED = "claim.access_revoked"
    HOLD_SET = "claim.legal_hold_set"
    HOLD_LIFTED = "claim.legal_hold_lifted"
    MEDIA_REMOVED = "claim.media_removed"
    ERASED = "claim.erased"
    EXPORTED = "claim.personal_data_exported"


class ClaimEvent(EventType):
    """What webhooks tell of a claim."""

    RECEIVED = "claim.received"
    ASSESSED = "claim.assessed"
    REASSESSED = "claim.reassessed"


CLAIM_EVENTS = {
    ClaimEvent.RECEIVED: "A claim came in and waits to be assessed.",
    ClaimEvent.ASSESSED: "There is a first opinion, or none could be made; the claim waits for a person.",
    ClaimEvent.REASSESSED: "A newer opinion stands beside the older ones.",
}
