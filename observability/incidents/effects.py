"""What an incident did to the work: each floor that knows registers how to count it when its app starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from observability.choices import JobState
from observability.models import Job

Counter = Callable[[datetime, datetime], int]


@dataclass(frozen=True)
class Effect:
    """`words` name what is counted, `count(since, until)` counts it between two moments."""

    name: str
    words: str
    count: Counter


@dataclass(frozen=True)
class JobsHit:
    """Jobs of one kind that an incident hit: `tried_again` needed more than one attempt, `dead` spent all of them."""

    kind: str
    tried_again: int
    dead: int


_effects: dict[str, Effect] = {}


def register_effect(effect: Effect) -> None:
    """Have reports tell this count; called once when the owner's app starts."""
    _effects[effect.name] = effect


def known_effects() -> list[Effect]:
    return list(_effects.values())


def jobs_hit(since: datetime, until: datetime) -> list[JobsHit]:
    """Return the kinds of jobs that were hit between two moments, the worst hit first."""
    hit = Job.objects.filter(started_at__gte=since, started_at__lte=until)
    again = dict(hit.filter(attempts__gt=1).values_list("kind").annotate(n=Count("id")))
    buried = Job.objects.filter(state=JobState.DEAD, finished_at__gte=since, finished_at__lte=until)
    dead = dict(buried.values_list("kind").annotate(n=Count("id")))
    found = [JobsHit(kind, int(again.get(kind, 0)), int(dead.get(kind, 0))) for kind in sorted({*again, *dead})]
    return sorted(found, key=lambda one: (-one.dead, -one.tried_again, one.kind))
