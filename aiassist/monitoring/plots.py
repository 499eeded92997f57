"""The monitoring's drawings as coordinates: shares of the width in percent, heights in pixels. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aiassist.monitoring.coverage import Coverage, CoverageState

ROW_HEIGHT, ROWS_TOP = 34, 8
TIME_WIDTH, TIME_HEIGHT = 1000, 150
_TONES = {
    CoverageState.NOT_ENOUGH_LABELS: "quiet",
    CoverageState.ON_TARGET: "ok",
    CoverageState.UNSURE: "warn",
    CoverageState.BELOW_TARGET: "danger",
}
_STATE_WORDS = {
    CoverageState.NOT_ENOUGH_LABELS: "Not enough labels",
    CoverageState.ON_TARGET: "On target",
    CoverageState.UNSURE: "Below, may be chance",
    CoverageState.BELOW_TARGET: "Below target",
}
_STATE_ICONS = {
    CoverageState.NOT_ENOUGH_LABELS: "question",
    CoverageState.ON_TARGET: "check-circle",
    CoverageState.UNSURE: "eye",
    CoverageState.BELOW_TARGET: "urgent",
}
_STEP = 10  # percent between grid lines
_GUTTER = 0.08  # of the width, where the axis has its words


@dataclass(frozen=True)
class Mark:
    """One group's share and interval. `x`, `low`, `width` in percent of the axis, empty without labels."""

    name: str
    count: int
    tone: str
    icon: str
    state: str
    words: str
    interval: str
    size: str
    y: int
    x: str
    low: str
    width: str


@dataclass(frozen=True)
class GridLine:
    label: str
    at: str
    anchor: str


@dataclass(frozen=True)
class RowsPlot:
    """Shares side by side, one row each, on an axis from `floor` to 100 percent."""

    height: int
    axis_y: int
    target_x: str
    target_words: str
    marks: list[Mark]
    grid: list[GridLine]


@dataclass(frozen=True)
class Point:
    name: str
    x: str
    y: str
    low_y: str
    high_y: str
    tone: str


@dataclass(frozen=True)
class TimePlot:
    """Shares over months: points with whiskers, the line between them in a stretched box, the target across."""

    height: int
    axis_y: int
    target_y: str
    line: str
    points: list[Point]
    grid: list[GridLine]


def rows_plot(named: Sequence[tuple[str, Coverage]]) -> RowsPlot:
    """Return the drawing of the groups in the given order."""
    coverages = [coverage for _, coverage in named]
    floor, target = _floor(coverages), coverages[0].target
    height = ROWS_TOP + len(named) * ROW_HEIGHT
    return RowsPlot(
        height=height + 22,
        axis_y=height,
        target_x=_across(target, floor),
        target_words=f"{target * 100:g} %",
        marks=[_mark(name, coverage, row, floor) for row, (name, coverage) in enumerate(named)],
        grid=[
            GridLine(f"{percent} %", _across(percent / 100, floor), _anchor(percent, floor))
            for percent in range(round(floor * 100), 101, _STEP)
        ],
    )


def time_plot(months: dict[str, Coverage]) -> TimePlot | None:
    """Return the drawing of the months, None while there are fewer than two of them."""
    if len(months) < 2:
        return None
    floor, target = _floor(list(months.values())), next(iter(months.values())).target
    step = (1.0 - _GUTTER) / len(months)
    places = [_GUTTER + (index + 0.5) * step for index in range(len(months))]
    points = [_point(name, found, at, floor) for at, (name, found) in zip(places, months.items(), strict=True)]
    path = "L".join(f"{at * TIME_WIDTH:.1f} {point.y}" for at, point in zip(places, points, strict=True))
    return TimePlot(
        height=TIME_HEIGHT + 22,
        axis_y=TIME_HEIGHT,
        target_y=_down(target, floor),
        line=f"M{path}",
        points=points,
        grid=[
            GridLine(f"{percent} %", _down(percent / 100, floor), "start")
            for percent in range(round(floor * 100), 101, _STEP)
        ],
    )


def coverage_words(coverage: Coverage) -> tuple[str, str]:
    """Return the share and its interval ("91.7 %", "87.2–94.7"), or that there is none."""
    if coverage.share is None or coverage.low is None or coverage.high is None:
        return "no labels", ""
    return f"{coverage.share * 100:.1f} %", f"{coverage.low * 100:.1f}–{coverage.high * 100:.1f}"


def _floor(coverages: Sequence[Coverage]) -> float:
    """Return where the axis begins: at a round ten percent below all that is drawn, at 50 % at most."""
    lowest = min((coverage.low for coverage in coverages if coverage.low is not None), default=0.5)
    return min(math.floor(lowest * 10) / 10, 0.5)


def _mark(name: str, coverage: Coverage, row: int, floor: float) -> Mark:
    drawn = coverage.share is not None and coverage.low is not None and coverage.high is not None
    low, high = coverage.low or 0.0, coverage.high or 0.0
    words, interval = coverage_words(coverage)
    return Mark(
        name=name,
        count=coverage.count,
        tone=_TONES[coverage.state],
        icon=_STATE_ICONS[coverage.state],
        state=_STATE_WORDS[coverage.state],
        words=words,
        interval=interval,
        size="–" if coverage.mean_set_size is None else f"{coverage.mean_set_size:.2f}",
        y=ROWS_TOP + row * ROW_HEIGHT + ROW_HEIGHT // 2,
        x=_across(coverage.share or 0.0, floor) if drawn else "",
        low=_across(low, floor) if drawn else "",
        width=f"{(high - low) / (1 - floor) * 100:.2f}" if drawn else "",
    )


def _point(name: str, coverage: Coverage, at: float, floor: float) -> Point:
    return Point(
        name=name,
        x=f"{at * 100:.2f}",
        y=_down(coverage.share or 0.0, floor),
        low_y=_down(coverage.low or 0.0, floor),
        high_y=_down(coverage.high or 0.0, floor),
        tone=_TONES[coverage.state],
    )


def _across(share: float, floor: float) -> str:
    return f"{max(share - floor, 0.0) / (1 - floor) * 100:.2f}"


def _down(share: float, floor: float) -> str:
    return f"{TIME_HEIGHT - max(share - floor, 0.0) / (1 - floor) * (TIME_HEIGHT - 10):.1f}"


def _anchor(percent: int, floor: float) -> str:
    if percent == round(floor * 100):
        return "start"
    return "end" if percent == 100 else "middle"
