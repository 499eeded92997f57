"""Named failures of the review desk."""

from observability.errors import Conflict, InvalidInput, NotFound, PermissionRefused


class AlreadyDecided(Conflict):
    code = "already_decided"
    message = "Someone else has decided this claim."


class StaleAssessment(Conflict):
    code = "stale_assessment"
    message = "There is a newer assessment than the one you saw."


class LeaseHeld(Conflict):
    code = "lease_held"
    message = "Another reviewer is working on this claim."


class LeaseLost(Conflict):
    code = "lease_lost"
    message = "Your hold on this claim has lapsed."


class NotReviewable(Conflict):
    code = "not_reviewable"
    message = "This claim is not waiting for a review."


class OwnClaim(PermissionRefused):
    code = "own_claim"
    message = "You submitted this claim, so another person must decide it."


class OverrideWithoutReason(InvalidInput):
    code = "override_reason_required"
    message = "A value that differs from the AI's needs a reason."


class TooManyLeases(Conflict):
    code = "too_many_leases"
    message = "You hold as many claims as one person may hold at a time; decide or release some."


class IncompleteDecision(InvalidInput):
    code = "incomplete_decision"
    message = "A decision needs its reasoning."


class ImpossibleOverride(InvalidInput):
    code = "invalid_override"
    message = "An override has a value that cannot be."


class LabelNotFound(NotFound):
    message = "There is no such label."


class AlreadyLabelled(Conflict):
    code = "already_labelled"
    message = "Someone else has labelled this video."


class NotBlind(PermissionRefused):
    code = "not_blind"
    message = "You submitted or decided this claim, so another person must label its video."
