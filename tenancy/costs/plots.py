"""The drawings of the costs page as coordinates: shares of the width in percent, heights in pixels. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tenancy.costs.overview import DayCost
from tenancy.costs.projection import Projection

HEIGHT = 170
_TOP = 10
_GUTTER = 9.0  # percent of the width, where the axis has its words
_STEPS = (1, 2, 2.5, 5, 10)
_MOST_LINES = 4


@dataclass(frozen=True)
class Bar:
    name: str
    x: str
    width: str
    y: str
    height: str
    words: str


@dataclass(frozen=True)
class GridLine:
    label: str
    y: str


@dataclass(frozen=True)
class Label:
    name: str
    x: str


@dataclass(frozen=True)
class DaysPlot:
    """A bar for each day of the month; days to come have none."""

    height: int
    axis_y: int
    bars: list[Bar]
    grid: list[GridLine]
    labels: list[Label]


@dataclass(frozen=True)
class RangePlot:
    """Where the month is and will end, on one axis from nothing; all in percent of it. `limit` empty: no budget."""

    spent: str
    low: str
    width: str
    expected: str
    limit: str
    limit_anchor: str


def days_plot(days: Sequence[DayCost], *, starts_at: datetime, ends_at: datetime) -> DaysPlot:
    """Return the drawing of a month's days."""
    count = (ends_at - starts_at).days
    step, top = axis_of(max((float(day.amount_usd) for day in days), default=0.0))
    slot = (100.0 - _GUTTER) / count
    bars = []
    for day in days:
        share = float(day.amount_usd) / top
        left = _GUTTER + (day.day.day - 1) * slot + slot * 0.14
        bars.append(
            Bar(
                f"{day.day:%-d %B}",
                f"{left:.2f}",
                f"{slot * 0.72:.2f}",
                f"{_down(share):.1f}",
                f"{HEIGHT - _down(share):.1f}",
                dollars(float(day.amount_usd)),
            )
        )
    lines = [n * step for n in range(round(top / step) + 1)]
    shown = [day for day in (1, 8, 15, 22, count) if day <= count]
    return DaysPlot(
        height=HEIGHT + 22,
        axis_y=HEIGHT,
        bars=bars,
        grid=[GridLine(_tick(line, step), f"{_down(line / top):.1f}") for line in lines],
        labels=[Label(str(day), f"{_GUTTER + (day - 0.5) * slot:.2f}") for day in shown],
    )


def range_plot(found: Projection, *, spent: float, limit: float | None) -> RangePlot:
    """Return the drawing of a projection beside what is spent and the month's limit."""
    reach = max(found.high, spent, limit or 0.0) * 1.05 or 1.0

    def at(amount: float) -> str:
        return f"{100 * amount / reach:.2f}"

    far = limit is not None and limit > 0.75 * reach
    return RangePlot(
        spent=at(spent),
        low=at(found.low),
        width=f"{max(0.4, 100 * (found.high - found.low) / reach):.2f}",
        expected=at(found.expected),
        limit="" if limit is None else at(limit),
        limit_anchor="end" if far else "start",
    )


def axis_of(most: float) -> tuple[float, float]:
    """Return a round step and the end of an axis that holds `most`, with at most four steps."""
    if most <= 0:
        return 1.0, 1.0
    size = 10.0 ** math.floor(math.log10(most / _MOST_LINES))
    step = next(size * n for n in _STEPS if size * n * _MOST_LINES >= most * 0.999999)
    return step, step * math.ceil(most / step - 1e-9)


def dollars(amount: float) -> str:
    """Return an amount for people: cents, and more places only below ten cents."""
    return f"${amount:,.2f}" if amount >= 0.1 or not amount else f"${amount:,.4f}"


def _down(share: float) -> float:
    return _TOP + (HEIGHT - _TOP) * (1.0 - share)


def _tick(amount: float, step: float) -> str:
    places = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if str(step).rstrip("0").endswith("25") else 0)
    return f"${amount:,.{places}f}" if amount else "$0"
