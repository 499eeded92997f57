"""A runbook's steps done: run by an action, ticked off by a person, or skipped with a reason.

A step is taken by one conditional update with a token, so two operators run it once. The action runs with no
transaction open; its end is written with that token, and a run that was given up cannot end a later one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from django.db import Error as DatabaseProblem
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from observability import metrics
from observability.errors import PlatformError
from observability.incidents.actions import Action, ActionCall, ActionResult, action_named
from observability.incidents.actors import Actor
from observability.incidents.choices import OPEN_STATUSES, StepState, TimelineKind
from observability.incidents.errors import (
    IncidentMoved,
    ReasonNeeded,
    StepByHand,
    StepRuns,
    StepTaken,
    TargetNeeded,
)
from observability.incidents.models import Incident, IncidentStep
from observability.incidents.selectors import step_of
from observability.incidents.timeline import tell
from observability.masking import mask_text

log = structlog.get_logger(__name__)

# A run whose process was killed; no action takes nearly as long.
_GIVEN_UP_AFTER = timedelta(minutes=5)
_FREE = (StepState.PENDING, StepState.FAILED)


def run_step(*, number: int, position: int, actor: Actor, now: datetime, target: str = "") -> IncidentStep:
    """Run the step's action and return the step as it ended.

    Raises NotFound, StepByHand, TargetNeeded, IncidentMoved once the incident is over, StepTaken when somebody else
    was first. Trouble that the action meets ends the step as failed, with its words as output.
    """
    step = step_of(number, position)
    if not step.action:
        raise StepByHand
    if step.asks and not target.strip():
        raise TargetNeeded(f"Name the {step.asks} to act on.", extra={"asks": step.asks})
    token = _take(step, actor, now)
    action = action_named(step.action)
    result = _run(step, action, actor, target.strip(), now)
    state = StepState.DONE if action.has_done(result, verifies=step.verifies) else StepState.FAILED
    return _end(step, token, state, actor=actor, text=result.output, now=max(timezone.now(), now))


@transaction.atomic(durable=True)
def tick_step(*, number: int, position: int, actor: Actor, now: datetime, note: str = "") -> IncidentStep:
    """Tick off a step that a person did by hand; raises NotFound, StepRuns, IncidentMoved, StepTaken."""
    step = step_of(number, position)
    if step.action:
        raise StepRuns
    return _set(step, StepState.DONE, TimelineKind.STEP_DONE, actor=actor, text=note, now=now)


@transaction.atomic(durable=True)
def skip_step(*, number: int, position: int, actor: Actor, now: datetime, reason: str) -> IncidentStep:
    """Leave a step out; raises NotFound, ReasonNeeded, IncidentMoved, StepTaken."""
    step = step_of(number, position)
    if not reason.strip():
        raise ReasonNeeded
    return _set(step, StepState.SKIPPED, TimelineKind.STEP_SKIPPED, actor=actor, text=reason, now=now)


@transaction.atomic(durable=True)
def _take(step: IncidentStep, actor: Actor, now: datetime) -> UUID:
    _require_open(step)
    token = uuid4()
    given_up = Q(state=StepState.RUNNING, started_at__lt=now - _GIVEN_UP_AFTER)
    free = IncidentStep.objects.filter(Q(state__in=_FREE) | given_up, id=step.id)
    columns = {"started_at": now, "ended_at": None, "by": actor.name[:150], "output": ""}
    if not free.update(state=StepState.RUNNING, token=token, **columns):
        raise _taken(step)
    _tell(step, TimelineKind.STEP_STARTED, actor, step.title, now)
    return token


def _run(step: IncidentStep, action: Action, actor: Actor, target: str, now: datetime) -> ActionResult:
    incident = step.incident
    call = ActionCall(
        subject=incident.subject,
        target=target or incident.subject,
        tenant_ref=incident.tenant_ref,
        arguments=step.arguments,
        began_at=incident.began_at,
        actor=actor,
        now=now,
    )
    try:
        return action.run(call)
    except PlatformError as error:
        return ActionResult(ok=False, output=f"{error.code}: {error.message}", broken=True)
    except (DatabaseProblem, OSError) as error:
        log.warning("incident_action_failed", action=step.action, error=type(error).__name__)
        return ActionResult(ok=False, output=f"{type(error).__name__}: {error}", broken=True)


@transaction.atomic(durable=True)
def _end(step: IncidentStep, token: UUID, state: StepState, *, actor: Actor, text: str, now: datetime) -> IncidentStep:
    ours = IncidentStep.objects.filter(id=step.id, token=token)
    if not ours.update(state=state, token=None, ended_at=now, output=mask_text(text)):
        raise _taken(step)
    kind = TimelineKind.STEP_DONE if state == StepState.DONE else TimelineKind.STEP_FAILED
    _tell(step, kind, actor, text, now)
    metrics.INCIDENT_STEPS.labels(action=step.action, outcome=state.value).inc()
    return step_of(step.incident_id, step.position)


def _set(
    step: IncidentStep, state: StepState, kind: TimelineKind, *, actor: Actor, text: str, now: datetime
) -> IncidentStep:
    _require_open(step)
    columns = {"started_at": step.started_at or now, "ended_at": now, "by": actor.name[:150], "output": mask_text(text)}
    if not IncidentStep.objects.filter(id=step.id, state__in=_FREE).update(state=state, **columns):
        raise _taken(step)
    _tell(step, kind, actor, text, now)
    metrics.INCIDENT_STEPS.labels(action=step.action or "by_hand", outcome=state.value).inc()
    return step_of(step.incident_id, step.position)


def _require_open(step: IncidentStep) -> None:
    """Lock the incident while a step of it changes, so that none is taken beside its end."""
    status = Incident.objects.select_for_update().values_list("status", flat=True).get(number=step.incident_id)
    if status not in OPEN_STATUSES:
        raise IncidentMoved(extra={"incident_status": status})


def _taken(step: IncidentStep) -> StepTaken:
    state = IncidentStep.objects.values_list("state", flat=True).get(id=step.id)
    return StepTaken(extra={"step_state": state})


def _tell(step: IncidentStep, kind: TimelineKind, actor: Actor, text: str, now: datetime) -> None:
    tell(number=step.incident_id, kind=kind, actor=actor, now=now, text=text, step=step.position)
