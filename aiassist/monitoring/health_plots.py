"""Drawings of drift and bias as numbers that templates put into SVG; words for the table beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiassist.monitoring.bias import FOUR_FIFTHS, AccuracyFigure, BiasState, GroupFigure
from aiassist.monitoring.drift import DriftLevel

ROW_HEIGHT, ROWS_TOP = 34, 8
TREND_WIDTH, TREND_HEIGHT = 1000, 150
# An impact ratio beyond this is drawn at the edge: the rule asks about what lies below 0.8.
_WIDEST_RATIO = 1.5
_TONES = {
    DriftLevel.NOT_ENOUGH: "quiet",
    DriftLevel.NONE: "ok",
    DriftLevel.LOW: "warn",
    DriftLevel.MODERATE: "warn",
    DriftLevel.SEVERE: "danger",
}
_ICONS = {"quiet": "question", "ok": "check-circle", "warn": "clock", "danger": "urgent"}
_LEVEL_WORDS = {
    DriftLevel.NOT_ENOUGH: "Not enough yet",
    DriftLevel.NONE: "As before",
    DriftLevel.LOW: "Changed a little",
    DriftLevel.MODERATE: "Changed",
    DriftLevel.SEVERE: "Changed a lot",
}
_STATE_WORDS = {
    BiasState.NOT_ENOUGH: ("quiet", "Not enough claims"),
    BiasState.FAIR: ("ok", "Within the rule"),
    BiasState.UNSURE: ("warn", "May be chance"),
    BiasState.DISPARATE: ("danger", "Below the rule"),
}
_OUTCOME_WORDS = {"APPROVED": "Approved", "REJECTED": "Rejected", "FRAUD_FLAGGED": "Flagged as fraud risk"}


@dataclass(frozen=True)
class Badge:
    tone: str
    icon: str
    words: str


@dataclass(frozen=True)
class FeatureBar:
    """One feature: its distance as a bar of 0 to 100 percent, and its row of words."""

    name: str
    y: int
    width: str
    distance: str
    moved: str
    index: str
    gaps: str
    badge: Badge


@dataclass(frozen=True)
class TrendPoint:
    x: str
    y: str
    tone: str


@dataclass(frozen=True)
class Trend:
    """The largest distance look by look; `line` lives in a box of `TREND_WIDTH` that is stretched."""

    height: int
    line: str
    points: list[TrendPoint]
    top: str


@dataclass(frozen=True)
class ImpactMark:
    name: str
    decided: int
    y: int
    x: str
    low: str
    width: str
    value: str
    interval: str
    rate: str
    badge: Badge


@dataclass(frozen=True)
class ImpactPlot:
    title: str
    height: int
    rule_x: str
    one_x: str
    marks: list[ImpactMark]


def level_badge(level: str) -> Badge:
    found = DriftLevel(level)
    return Badge(_TONES[found], _ICONS[_TONES[found]], _LEVEL_WORDS[found])


def feature_bars(features: Sequence[Mapping[str, Any]]) -> list[FeatureBar]:
    """Return the features as they are given, the strongest first."""
    return [
        FeatureBar(
            name=found["name"].replace("_", " "),
            y=ROWS_TOP + place * ROW_HEIGHT + ROW_HEIGHT // 2,
            width=f"{min(found['distance'], 1.0) * 100:.2f}",
            distance=f"{found['distance']:.2f}",
            moved="–" if found["moved_sd"] is None else f"{signed(found['moved_sd'], 2)} sd",
            index="–" if found["stability_index"] is None else f"{found['stability_index']:.2f}",
            gaps=f"{found['absent_before'] * 100:.0f} → {found['absent_now'] * 100:.0f} %",
            badge=level_badge(found["level"]),
        )
        for place, found in enumerate(features)
    ]


def trend_of(points: Sequence[Mapping[str, Any]]) -> Trend | None:
    """Return the drawing of the looks, oldest first; None while there are fewer than two."""
    drawn = [(point, float(point["largest_distance"])) for point in points if point["largest_distance"] is not None]
    if len(drawn) < 2:
        return None
    top = max(0.2, *(distance for _, distance in drawn))
    step = 1.0 / len(drawn)
    marks = [
        TrendPoint(
            x=f"{(place + 0.5) * step * 100:.2f}",
            y=f"{TREND_HEIGHT - distance / top * (TREND_HEIGHT - 14):.1f}",
            tone="danger" if point["alarm"] else "warn" if point["in_episode"] else "ok",
        )
        for place, (point, distance) in enumerate(drawn)
    ]
    path = "L".join(f"{float(mark.x) / 100 * TREND_WIDTH:.1f} {mark.y}" for mark in marks)
    return Trend(height=TREND_HEIGHT, line=f"M{path}", points=marks, top=f"{top:.2f}")


def share_words(found: Mapping[str, Any]) -> tuple[str, str]:
    """Return a share and its change in words ("83 %", "−4 to +2 points"), or that there are too few claims."""
    if found["value"] is None:
        return f"{found['cases']} claims", "not enough yet"
    change = found["change"]
    if change is None:
        return f"{found['value'] * 100:.0f} %", ""
    return f"{found['value'] * 100:.0f} %", f"{signed(change['low'] * 100)} to {signed(change['high'] * 100)} points"


def impact_plots(figures: Sequence[GroupFigure]) -> list[ImpactPlot]:
    """Return one drawing for each attribute and outcome, those below the rule first."""
    grouped: dict[tuple[str, str], list[GroupFigure]] = {}
    for found in figures:
        grouped.setdefault((found.attribute, str(found.outcome)), []).append(found)
    order = sorted(grouped, key=lambda key: (not any(one.state is BiasState.DISPARATE for one in grouped[key]), key))
    return [_impact_plot(attribute, outcome, grouped[attribute, outcome]) for attribute, outcome in order]


def _impact_plot(attribute: str, outcome: str, figures: Sequence[GroupFigure]) -> ImpactPlot:
    return ImpactPlot(
        title=f"{attribute.replace('_', ' ').capitalize()}: {_OUTCOME_WORDS[outcome]}",
        height=ROWS_TOP + len(figures) * ROW_HEIGHT,
        rule_x=_across(FOUR_FIFTHS),
        one_x=_across(1.0),
        marks=[_impact_mark(found, place) for place, found in enumerate(figures)],
    )


def _impact_mark(found: GroupFigure, place: int) -> ImpactMark:
    impact, (tone, words) = found.impact, _STATE_WORDS[found.state]
    low, high = (max(impact.low, 0.0), min(impact.high, _WIDEST_RATIO)) if impact else (0.0, 0.0)
    return ImpactMark(
        name=found.group,
        decided=found.decided,
        y=ROWS_TOP + place * ROW_HEIGHT + ROW_HEIGHT // 2,
        x=_across(min(impact.value, _WIDEST_RATIO)) if impact else "",
        low=_across(low) if impact else "",
        width=f"{max(high - low, 0.0) / _WIDEST_RATIO * 100:.2f}" if impact else "",
        value=f"{impact.value:.2f}" if impact else "–",
        interval=f"{impact.low:.2f}–{impact.high:.2f}" if impact and impact.low < impact.high else "",
        rate="–" if found.rate is None else f"{found.rate * 100:.0f} %",
        badge=Badge(tone, _ICONS[tone], words),
    )


def accuracy_rows(figures: Sequence[AccuracyFigure]) -> list[tuple[str, int, str, str, Badge]]:
    """Return group, claims, agreement, gap in points with its interval, and the verdict of each figure."""
    rows = []
    for found in figures:
        tone, words = _STATE_WORDS[found.state]
        words = {"ok": "Alike", "danger": "Less accurate"}.get(tone, words)
        gap = found.gap
        rows.append(
            (
                f"{found.attribute.replace('_', ' ')}: {found.group}",
                found.decided,
                "–" if found.agreement is None else f"{found.agreement * 100:.0f} %",
                ""
                if gap is None
                else f"{signed(gap.value * 100)} ({signed(gap.low * 100)} to {signed(gap.high * 100)})",
                Badge(tone, _ICONS[tone], words),
            )
        )
    return rows


def signed(value: float, digits: int = 0) -> str:
    """Return a change as people write it: with a true minus sign, and nothing before a zero."""
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def _across(value: float) -> str:
    return f"{value / _WIDEST_RATIO * 100:.2f}"
