"""Reads what the service level is made from: the breakers' rows, the queue's lag, the database itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import Error as DatabaseProblem
from django.utils import timezone

from observability.breakers import breakers_in_use, open_breakers
from observability.degradation import Facts, Part, PartFacts, Rule, ServiceLevel, level_of, rules_for, troubles_of
from observability.gauges import oldest_waiting_seconds
from observability.metrics import Readings

log = structlog.get_logger(__name__)

# Every page of reviewers and operators shows the level; one look serves all of a process for this time.
_FRESH_SECONDS = 2.0


@dataclass(frozen=True)
class Standing:
    """The level now, and the rows of the table that hold, the worst first."""

    level: ServiceLevel
    rules: tuple[Rule, ...] = ()
    queue_seconds: float = 0.0

    @property
    def is_full(self) -> bool:
        return self.level == ServiceLevel.FULL


def read_standing(*, now: datetime) -> Standing:
    """Look at the facts now; a database that is away is one of them and no error."""
    try:
        facts = Facts(parts=_parts(open_breakers()), queue_seconds=oldest_waiting_seconds()[()])
    except DatabaseProblem as problem:
        log.warning("service_level_unreadable", error=type(problem).__name__)
        facts = Facts(database_away=True)
    troubles = troubles_of(facts)
    return Standing(level_of(troubles), tuple(rules_for(troubles)), facts.queue_seconds)


_last: tuple[float, Standing] | None = None


def current_standing() -> Standing:
    """Return the level as it was at most two seconds ago; for what is asked with every page."""
    global _last  # a cache of this process
    if _last is None or time.monotonic() - _last[0] >= _FRESH_SECONDS:
        _last = (time.monotonic(), read_standing(now=timezone.now()))
    return _last[1]


def level_reading() -> Readings:
    """Return 1 for the level that the service has and 0 for the others (a gauge reads this)."""
    now = read_standing(now=timezone.now()).level
    return {(level.value,): float(level == now) for level in ServiceLevel}


def _parts(away: frozenset[str]) -> Mapping[Part, PartFacts]:
    found: dict[Part, PartFacts] = {}
    for name, part in breakers_in_use().items():
        before = found.get(part, PartFacts(0, 0))
        found[part] = PartFacts(before.in_use + 1, before.away + (name in away))
    return found
