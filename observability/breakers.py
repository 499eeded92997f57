"""Circuit breakers: a service that fails is left alone for a while, by all processes alike, then tried by one call.

The state is a row, so every process sees the same breaker and a reset reaches all of them. Closed, a breaker counts
calls in a sliding window of one-second partial sums; it opens when enough of them failed or were slow. After the open
time one caller reserves the probe by a conditional update; the reservation expires, because its holder may be killed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum

from observability import metrics
from observability.choices import BreakerState
from observability.degradation import Part
from observability.errors import NotFound, Unavailable
from observability.metrics import Readings
from observability.models import BreakerSecond, CircuitBreaker

log = structlog.get_logger(__name__)

# Opened a little in the future: another machine's clock, or a process that was stopped. More: a clock was set back.
_CLOCK_SET_BACK_SECONDS = 3600.0


class BreakerOpen(Unavailable):
    """The service is left alone for now; nothing was sent to it."""

    code = "breaker_open"
    message = "This service is left alone for a while, because it failed."


@dataclass(frozen=True)
class BreakerPolicy:
    """When a breaker opens and for how long; shares count from 0 to 1 of the calls in the window."""

    window_seconds: float
    min_calls: int
    failure_share: float
    slow_share: float
    slow_seconds: float
    open_seconds: float
    probe_seconds: float

    @classmethod
    def from_settings(cls, name: str = "") -> BreakerPolicy:
        """Return the policy of the settings, with what `BREAKERS` says otherwise for this breaker."""
        general = cls(
            window_seconds=settings.BREAKER_WINDOW_SECONDS,
            min_calls=settings.BREAKER_MIN_CALLS,
            failure_share=settings.BREAKER_FAILURE_SHARE,
            slow_share=settings.BREAKER_SLOW_SHARE,
            slow_seconds=settings.BREAKER_SLOW_SECONDS,
            open_seconds=settings.BREAKER_OPEN_SECONDS,
            probe_seconds=settings.BREAKER_PROBE_SECONDS,
        )
        return replace(general, **settings.BREAKERS.get(name, {}))


@dataclass(frozen=True)
class Permit:
    """The right to make one call; `probe` is the reservation of a half-open breaker's only call."""

    name: str
    generation: int
    probe: UUID | None = None


@dataclass(frozen=True)
class WindowSums:
    """Calls in the sliding window."""

    calls: int
    failures: int
    slow: int


@dataclass(frozen=True)
class BreakerFacts:
    """A breaker as it is now; `probe_due_at` is when the next call may be tried, None while it is closed or forced."""

    name: str
    state: BreakerState
    forced_open: bool
    window: WindowSums
    opened_at: datetime | None
    probe_due_at: datetime | None
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True)
class _Registered:
    part: Part
    in_use: Callable[[], bool]


_names: dict[str, _Registered] = {}


def register_breaker(name: str, *, part: Part = Part.OTHER, in_use: Callable[[], bool] = lambda: True) -> None:
    """Make a breaker known, so that operators see it before its first call; called once when the owner's app starts.

    `part` is what the service level makes of it while it is open, `in_use` whether it stands before anything here.
    """
    _names[name] = _Registered(part, in_use)


def breakers_in_use() -> dict[str, Part]:
    """Return the registered breakers that stand before something, with its part."""
    return {name: known.part for name, known in _names.items() if known.in_use()}


def part_of(name: str) -> Part:
    """Return what the breaker stands before; OTHER for a name that nobody registered."""
    known = _names.get(name)
    return known.part if known else Part.OTHER


def open_breakers() -> frozenset[str]:
    """Return the registered breakers that let no call through, but for a probe."""
    away = CircuitBreaker.objects.filter(name__in=_names).exclude(state=BreakerState.CLOSED)
    return frozenset(away.values_list("name", flat=True))


def ask_permit(*, name: str, now: datetime) -> Permit:
    """Return the right to make one call; raises BreakerOpen. A closed breaker costs one read."""
    row = CircuitBreaker.objects.filter(name=name).first()
    if row is None or row.state == BreakerState.CLOSED:
        return Permit(name, row.generation if row else 0)
    probe = _reserve_probe(row, now)
    if probe is None:
        raise BreakerOpen
    return Permit(name, row.generation, probe)


def _reserve_probe(row: CircuitBreaker, now: datetime) -> UUID | None:
    """Become the only caller of a breaker whose open time is over; None when it is not, or somebody else did."""
    assert row.opened_at is not None
    waited = (now - row.opened_at).total_seconds()
    policy = BreakerPolicy.from_settings(row.name)
    if row.forced_open or -_CLOCK_SET_BACK_SECONDS < waited < policy.open_seconds:
        return None
    token = uuid4()
    free = Q(probe_until__isnull=True) | Q(probe_until__lte=now)
    reserved = CircuitBreaker.objects.filter(
        free, name=row.name, generation=row.generation, state__in=(BreakerState.OPEN, BreakerState.HALF_OPEN)
    ).update(
        state=BreakerState.HALF_OPEN,
        probe_token=token,
        probe_until=now + timedelta(seconds=policy.probe_seconds),
    )
    return token if reserved else None


@transaction.atomic(durable=True)
def record_call(*, permit: Permit, failed: bool, seconds: float, now: datetime) -> None:
    """Count how a permitted call ended, and open or close the breaker by it.

    `failed` means that the service is ailing, never that it refused one request: else one caller's bad input would
    shut everybody out. A call from before the last change of state says nothing about the present and is not counted.
    """
    policy = BreakerPolicy.from_settings(permit.name)
    row = _locked(permit.name, now)
    if row.generation != permit.generation:
        return
    slow = seconds >= policy.slow_seconds
    if permit.probe is not None:
        if permit.probe == row.probe_token:
            _move(row, BreakerState.OPEN if failed or slow else BreakerState.CLOSED, now=now)
        return
    _count(row, failed=failed, slow=slow, now=now, policy=policy)
    if _trips(_window(row.name, now, policy), policy):
        _move(row, BreakerState.OPEN, now=now)


@transaction.atomic(durable=True)
def reset_breaker(*, name: str, by: str, now: datetime) -> BreakerFacts:
    """Close the breaker and forget what it counted; raises NotFound. `by` is the id of who wants it."""
    _require_known(name)
    _move(_locked(name, now), BreakerState.CLOSED, now=now, by=by)
    return facts_of(name=name, now=now)


@transaction.atomic(durable=True)
def force_breaker_open(*, name: str, by: str, now: datetime) -> BreakerFacts:
    """Keep every call from the service until a reset; raises NotFound. `by` is the id of who wants it."""
    _require_known(name)
    _move(_locked(name, now), BreakerState.OPEN, now=now, by=by, forced=True)
    return facts_of(name=name, now=now)


def facts_of(*, name: str, now: datetime) -> BreakerFacts:
    """Return one breaker; raises NotFound."""
    _require_known(name)
    return breaker_facts(breaker_rows(now=now).get(name=name), now=now)


def breaker_rows(*, now: datetime) -> QuerySet[CircuitBreaker]:
    """Return the rows of the registered breakers; one that was never used gets its row here."""
    rows = CircuitBreaker.objects.filter(name__in=_names)
    missing = _names.keys() - set(rows.values_list("name", flat=True))
    CircuitBreaker.objects.bulk_create(
        [CircuitBreaker(name=name, changed_at=now) for name in sorted(missing)], ignore_conflicts=True
    )
    return rows


def breaker_facts(row: CircuitBreaker, *, now: datetime) -> BreakerFacts:
    """Return what the row and its window say."""
    policy = BreakerPolicy.from_settings(row.name)
    due_at = None
    if row.opened_at is not None and not row.forced_open:
        due_at = max(row.opened_at + timedelta(seconds=policy.open_seconds), row.probe_until or row.opened_at)
    return BreakerFacts(
        name=row.name,
        state=BreakerState(row.state),
        forced_open=row.forced_open,
        window=_window(row.name, now, policy),
        opened_at=row.opened_at,
        probe_due_at=due_at,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )


def breaker_states() -> Readings:
    """Return 1 for the state that each breaker is in and 0 for the others (a gauge reads this)."""
    states = dict(CircuitBreaker.objects.filter(name__in=_names).values_list("name", "state"))
    return {
        (name, state.value): float(states.get(name, BreakerState.CLOSED) == state)
        for name in _names
        for state in BreakerState
    }


def _require_known(name: str) -> None:
    if name not in _names:
        raise NotFound


def _locked(name: str, now: datetime) -> CircuitBreaker:
    """Return the breaker's row for this transaction alone, made if it is missing."""
    rows = CircuitBreaker.objects.select_for_update()
    row = rows.filter(name=name).first()
    if row is None:
        CircuitBreaker.objects.bulk_create([CircuitBreaker(name=name, changed_at=now)], ignore_conflicts=True)
        row = rows.get(name=name)
    return row


def _move(row: CircuitBreaker, state: BreakerState, *, now: datetime, by: str = "", forced: bool = False) -> None:
    """Enter a state with an empty window; calls and probes from before it no longer count."""
    was = row.state
    CircuitBreaker.objects.filter(name=row.name).update(
        state=state,
        forced_open=forced,
        generation=F("generation") + 1,
        opened_at=None if state == BreakerState.CLOSED else now,
        probe_token=None,
        probe_until=None,
        changed_at=now,
        changed_by=by,
    )
    BreakerSecond.objects.filter(breaker_id=row.name).delete()
    metrics.BREAKER_CHANGES.labels(breaker=row.name, state=state.value).inc()
    log.warning("breaker_moved", breaker=row.name, was=was, state=state.value, forced=forced, by=by)


def _count(row: CircuitBreaker, *, failed: bool, slow: bool, now: datetime, policy: BreakerPolicy) -> None:
    """Add the call to its second; the first of a second sweeps out those that left the window."""
    second = int(now.timestamp())
    seconds = BreakerSecond.objects.filter(breaker_id=row.name)
    # Whole numbers: PostgreSQL does not add a boolean to one.
    one = {"calls": 1, "failures": int(failed), "slow": int(slow)}
    if not seconds.filter(second=second).update(**{name: F(name) + number for name, number in one.items()}):
        BreakerSecond.objects.create(breaker_id=row.name, second=second, **one)
        seconds.filter(second__lte=second - policy.window_seconds).delete()


def _window(name: str, now: datetime, policy: BreakerPolicy) -> WindowSums:
    since = now.timestamp() - policy.window_seconds
    sums = BreakerSecond.objects.filter(breaker_id=name, second__gt=since).aggregate(
        calls=Sum("calls", default=0), failures=Sum("failures", default=0), slow=Sum("slow", default=0)
    )
    return WindowSums(**sums)


def _trips(window: WindowSums, policy: BreakerPolicy) -> bool:
    if window.calls < policy.min_calls:
        return False
    return window.failures >= policy.failure_share * window.calls or window.slow >= policy.slow_share * window.calls
