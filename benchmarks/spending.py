"""Does the watch over spending find a retry loop, and is the projection's interval as wide as it says?

`python -m benchmarks.spending [--tenants 1000] [--quick] [--world fleet] [--seed 7]`

Simulates tenants of the tiers that may use outside models (10,000 to 100,000 calls a month), each with six weeks of
history and a month to watch: calls come by chance at rates that follow hour and weekday, days differ, calls differ in
price, and a few times a quarter a pile of claims is handed in at once. A retry loop multiplies the tenant's traffic by
ten: of that hour, and in quiet hours of its average hour. It begins at any moment of the month, lasts two hours, and
counts as found when the watch, which looks every five minutes at the last ten, calls out within fifteen. Every alarm
before the loop, or in months without one, is false.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tenancy.costs.projection import project_month
from tenancy.costs.usual import HISTORY_DAYS, expected_in_window, usual_hours, window_threshold

Figures = NDArray[np.float64]

SEED = 20261121
MONTH_DAYS = 30
_BUCKETS = 288  # of five minutes a day
_LOOP_BUCKETS, _FOUND_WITHIN_MINUTES = 24, 15
_CHUNK = 100
_WORKING_DAYS = 5


@dataclass(frozen=True)
class World:
    """How traffic comes: by weekday (Monday first) and hour, the standard deviation of a day's logarithm, the share of
    days on which a pile is handed in, and between which hours that begins."""

    week: tuple[float, ...]
    day: tuple[float, ...]
    day_spread: float
    pile_days: float
    pile_hours: tuple[int, int]


WORLDS = {
    # The watch was tuned on this one.
    "office": World(
        week=(1.0, 1.05, 1.0, 0.95, 0.9, 0.3, 0.2),
        day=(2, 1, 1, 1, 1, 2, 5, 15, 45, 80, 100, 95, 75, 85, 95, 90, 75, 50, 30, 20, 14, 10, 6, 3),
        day_spread=0.2,
        pile_days=0.1,
        pile_hours=(9, 16),
    ),
    # Drivers who report from the road at all hours, most at week's end; nothing was tuned on it.
    "fleet": World(
        week=(0.9, 0.9, 0.95, 1.0, 1.15, 1.1, 1.0),
        day=(25, 20, 18, 18, 22, 35, 60, 90, 85, 60, 55, 55, 60, 55, 55, 65, 85, 100, 80, 60, 45, 40, 35, 30),
        day_spread=0.25,
        pile_days=0.12,
        pile_hours=(6, 21),
    ),
}


@dataclass(frozen=True)
class WatchResult:
    tenant_months: int
    found_share: float
    median_minutes: float
    slowest_minutes: float
    false_alarms: int
    false_alarms_per_quarter: float


@dataclass(frozen=True)
class ProjectionResult:
    """`covered` is the share of months whose true sum lay in the interval; `width` its mean width over the sum."""

    after_days: int
    months: int
    covered: float
    width: float


@dataclass(frozen=True)
class Streams:
    """Spend in US dollars (tenants × days × buckets), and what a call costs each tenant on average."""

    spend: Figures
    calls: Figures
    rates: Figures
    call_usd: Figures


def simulate(random: np.random.Generator, tenants: int, world: World = WORLDS["office"]) -> Streams:
    """Return streams without a loop: history first, then the month."""
    days = HISTORY_DAYS + MONTH_DAYS
    monthly = np.exp(random.uniform(np.log(10_000), np.log(100_000), tenants))
    call_usd = np.exp(random.uniform(np.log(0.0005), np.log(0.01), tenants))
    day, week = np.array(world.day, dtype=np.float64), np.array(world.week)
    hours = np.repeat(day / day.sum(), _BUCKETS // 24) / (_BUCKETS // 24)
    weekdays = np.arange(days) % 7
    of_day = (
        week[weekdays] / week.mean() * random.lognormal(-(world.day_spread**2) / 2, world.day_spread, (tenants, days))
    )
    rates = monthly[:, None, None] / MONTH_DAYS * of_day[:, :, None] * hours
    rates = rates + _piles(random, rates, world)
    calls = random.poisson(rates).astype(np.float64)
    # Costs of calls are gamma (coefficient of variation 0.5), so their sums are, too.
    spend = random.gamma(calls * 4.0) * (call_usd[:, None, None] / 4.0)
    return Streams(spend, calls, rates, call_usd)


def _piles(random: np.random.Generator, rates: Figures, world: World) -> Figures:
    """Add, on some working days, an hour's usual traffic within forty minutes."""
    tenants, days, _ = rates.shape
    extra = np.zeros_like(rates)
    for tenant, day in np.argwhere(random.random((tenants, days)) < world.pile_days):
        if day % 7 < _WORKING_DAYS:
            start = int(random.integers(world.pile_hours[0] * 12, world.pile_hours[1] * 12))
            extra[tenant, day, start : start + 8] = rates[tenant, day, start : start + 12].sum() / 8
    return extra


def watch_loops(tenants: int, *, seed: int = SEED, world: World = WORLDS["office"]) -> WatchResult:
    """Simulate tenant-months with one loop each, and count what is found and what is called out wrongly."""
    random = np.random.default_rng(seed)
    minutes: list[float] = []
    false_alarms, watched = 0, 0.0
    for start in range(0, tenants, _CHUNK):
        streams = simulate(random, min(_CHUNK, tenants - start), world)
        clean = _alarms(streams.spend, streams)
        false_alarms += int(_episodes(clean).sum())
        watched += clean.shape[0] * MONTH_DAYS
        minutes += _loop_minutes(random, streams)
    found = np.array(minutes)
    in_time = found <= _FOUND_WITHIN_MINUTES
    return WatchResult(
        tenant_months=tenants,
        found_share=float(in_time.mean()),
        median_minutes=float(np.median(found)),
        slowest_minutes=float(found.max()),
        false_alarms=false_alarms,
        false_alarms_per_quarter=false_alarms / watched * 91.3,
    )


def _loop_minutes(random: np.random.Generator, streams: Streams) -> list[float]:
    """Put a loop into each tenant's month and return after how many minutes it is called out (inf: within two hours
    not)."""
    tenants = streams.spend.shape[0]
    spend = streams.spend.reshape(tenants, -1).copy()
    average = streams.rates.reshape(tenants, -1).mean(axis=1)
    first = HISTORY_DAYS * _BUCKETS
    starts = [int(random.integers(first, spend.shape[1] - _LOOP_BUCKETS)) for _ in range(tenants)]
    into = [float(random.random()) for _ in starts]  # how much of its first five minutes has passed at its start
    for tenant, start in enumerate(starts):
        rate = np.maximum(streams.rates.reshape(tenants, -1)[tenant, start : start + _LOOP_BUCKETS], average[tenant])
        rate[0] *= 1 - into[tenant]
        extra = random.poisson(9 * rate)
        spend[tenant, start : start + _LOOP_BUCKETS] += random.gamma(extra * 4.0) * streams.call_usd[tenant] / 4.0
    alarms = _alarms(spend.reshape(streams.spend.shape), streams).reshape(tenants, -1)
    found = []
    for tenant, start in enumerate(starts):
        hits = np.flatnonzero(alarms[tenant, start - first : start - first + _LOOP_BUCKETS])
        found.append((int(hits[0]) + 1 - into[tenant]) * 5.0 if hits.size else math.inf)
    return found


def _alarms(spend: Figures, streams: Streams) -> NDArray[np.bool_]:
    """Return where the watch calls out in the month (tenants × days × buckets): looked at as each bucket ends."""
    tenants, days, _ = spend.shape
    hourly = spend.reshape(tenants, days, 24, _BUCKETS // 24).sum(axis=3)
    flat = spend.reshape(tenants, -1)
    window = (flat + np.roll(flat, 1, axis=1)).reshape(spend.shape)
    weekdays = np.arange(days) % 7
    alarms = np.zeros((tenants, MONTH_DAYS, _BUCKETS), dtype=np.bool_)
    for day in range(HISTORY_DAYS, days):
        past = slice(day - HISTORY_DAYS, day)
        counts = streams.calls[:, past].sum(axis=(1, 2))
        call_usd = streams.spend[:, past].sum(axis=(1, 2)) / np.maximum(counts, 1)
        usual = usual_hours(hourly[:, past], weekdays[past], int(weekdays[day]))
        expected = np.repeat(expected_in_window(usual), _BUCKETS // 24, axis=1)
        alarms[:, day - HISTORY_DAYS] = window[:, day] > window_threshold(expected, call_usd[:, None])
    return alarms


def _episodes(alarms: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Count alarms that are not part of one that is open (it ends after an hour without)."""
    flat = alarms.reshape(alarms.shape[0], -1)
    counts = np.zeros(flat.shape[0], dtype=np.int_)
    for tenant, row in enumerate(flat):
        hits = np.flatnonzero(row)
        counts[tenant] = int(hits.size > 0) + int((np.diff(hits) > 12).sum())
    return counts


def check_projection(
    months: int, *, after_days: int, seed: int = SEED, world: World = WORLDS["office"]
) -> ProjectionResult:
    """Project months of simulated days after so many of their days, and count how often the truth lay inside."""
    random = np.random.default_rng(seed)
    inside, widths = 0, []
    for _ in range(0, months, _CHUNK):
        streams = simulate(random, min(_CHUNK, months), world)
        days = streams.spend.sum(axis=2)
        weekdays = np.arange(days.shape[1]) % 7
        for row in days:
            done = HISTORY_DAYS + after_days
            month, truth = row[HISTORY_DAYS:], row[HISTORY_DAYS:].sum()
            found = project_month(
                spent=float(month[:after_days].sum()),
                past=row[done - HISTORY_DAYS : done],
                past_weekdays=weekdays[done - HISTORY_DAYS : done],
                left_weekdays=weekdays[done:],
            )
            assert found is not None
            inside += found.low <= truth <= found.high
            widths.append((found.high - found.low) / truth)
    count = len(widths)
    return ProjectionResult(after_days, count, inside / count, float(np.mean(widths)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="a hundred tenants")
    parser.add_argument("--world", choices=sorted(WORLDS), default="office")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    tenants, world = 100 if given.quick else given.tenants, WORLDS[given.world]
    watch = watch_loops(tenants, seed=given.seed, world=world)
    projections = [check_projection(tenants, after_days=days, seed=given.seed, world=world) for days in (3, 10, 20, 27)]
    told = {"world": given.world, "seed": given.seed, "watch": asdict(watch)}
    print(json.dumps(told | {"projection": [asdict(one) for one in projections]}, indent=1))


if __name__ == "__main__":
    main()
