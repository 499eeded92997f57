"""What can go wrong with incidents, each with a stable code."""

from __future__ import annotations

from observability.errors import Conflict, InvalidInput


class IncidentMoved(Conflict):
    """The incident is in a state that does not allow this any more (or not yet); `status` says which."""

    code = "incident_moved"
    message = "The incident is in another state."


class StepTaken(Conflict):
    """Somebody else did or does this step; `state` says which."""

    code = "step_taken"
    message = "This step is done, skipped, or somebody runs it now."


class StepByHand(InvalidInput):
    code = "step_by_hand"
    message = "This step has no action to run: do it, then tick it off."


class StepRuns(InvalidInput):
    code = "step_runs"
    message = "This step has an action: run it, or skip it with a reason."


class TargetNeeded(InvalidInput):
    code = "target_needed"
    message = "This step needs to know what to act on."


class ReasonNeeded(InvalidInput):
    code = "reason_needed"
    message = "Say why the step is skipped."


class ReportMissing(Conflict):
    code = "report_missing"
    message = "A P1 or P2 incident is closed when its report says what it came from."
