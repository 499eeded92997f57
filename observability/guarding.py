"""Managers of what this floor leans on: a breaker each, a look from time to time, and what is done instead.

Success is not written down while a breaker is closed: that would cost a write with every message. Failures are, and the
outcome of the probe that a breaker lets through after its rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import Error as DatabaseProblem
from django.utils import timezone

from observability.breakers import BreakerOpen, Permit, ask_permit, record_call, register_breaker
from observability.degradation import Part

log = structlog.get_logger(__name__)

BROKER, CACHE, STORAGE = "broker", "cache", "storage"


@dataclass(frozen=True)
class Watched:
    """`look` returns a problem in a word or two, empty when all is well; it has its own time limit."""

    name: str
    look: Callable[[], str]


_watched: dict[str, Watched] = {}


def register_watched(watched: Watched, part: Part) -> None:
    """Give a dependency its breaker and have workers look at it; called once when the owner's app starts."""
    register_breaker(watched.name, part=part)
    _watched[watched.name] = watched


def permit_for(name: str) -> Permit | None:
    """Return the right to use the dependency now, None while it is left alone."""
    try:
        return ask_permit(name=name, now=timezone.now())
    except BreakerOpen:
        return None
    except DatabaseProblem as problem:
        # Whoever cannot ask tries: the call is bounded by its own time limit.
        log.warning("breaker_unreadable", breaker=name, error=type(problem).__name__)
        return Permit(name, -1)


def tell_outcome(permit: Permit, *, failed: bool, seconds: float) -> None:
    """Write down how a permitted call ended, where that can change the breaker."""
    if not failed and permit.probe is None:
        return
    try:
        record_call(permit=permit, failed=failed, seconds=seconds, now=timezone.now())
    except DatabaseProblem as problem:
        log.warning("breaker_not_written", breaker=permit.name, error=type(problem).__name__)


def watch_dependencies(*, now: datetime) -> int:
    """Look at each dependency that its breaker lets through; return how many have a problem (a timer calls this)."""
    troubled = 0
    for watched in list(_watched.values()):
        permit = permit_for(watched.name)
        if permit is None:
            troubled += 1
            continue
        began = time.monotonic()
        problem = watched.look()
        tell_outcome(permit, failed=bool(problem), seconds=time.monotonic() - began)
        if problem:
            troubled += 1
            log.warning("dependency_problem", dependency=watched.name, problem=problem)
    return troubled
