"""What a person does with a step, the same for the API and the page."""

from __future__ import annotations

from datetime import datetime

from observability.incidents.actors import Actor
from observability.incidents.models import IncidentStep
from observability.incidents.selectors import step_of
from observability.incidents.steps import run_step, skip_step, tick_step
from tenancy.incidents.serializers import StepDoing


def do_step(
    *, number: int, position: int, do: str | None, target: str, note: str, actor: Actor, now: datetime
) -> IncidentStep:
    """Run, tick off or skip a step; without `do`, the obvious one of the first two. Raises what these raise."""
    doing = StepDoing(do) if do else _obvious(number, position)
    if doing == StepDoing.RUN:
        return run_step(number=number, position=position, actor=actor, now=now, target=target)
    if doing == StepDoing.TICK:
        return tick_step(number=number, position=position, actor=actor, now=now, note=note)
    return skip_step(number=number, position=position, actor=actor, now=now, reason=note)


def _obvious(number: int, position: int) -> StepDoing:
    return StepDoing.RUN if step_of(number, position).action else StepDoing.TICK
