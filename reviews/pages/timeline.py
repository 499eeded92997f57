"""The signal timeline as coordinates: lanes in a stretched box, places on the time axis in percent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiassist.types import HazardKind, IntegrityCode
from claims.models import Assessment, Evidence
from claims.words import clock_words, code_words, number_words, tick_words

LANE_WIDTH, LANE_HEIGHT = 1000, 32
_LABEL_ROW, _MARK_ROW, _TOP, _AXIS = 17, 20, 6, 22
_BUCKETS = 320  # about two device pixels each on a wide screen; more only makes the page heavier
_TICKS_AT_MOST = 8
_TICK_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_LABEL_SHARE_PER_LETTER = 0.95  # percent of a 720 px axis that one letter of 11 px takes
_LABELS = {
    "speed_relative": "Own speed, relative",
    "shake_z": "Shaking",
    "jolt_z": "Jolt",
    "flow_residual": "Movement around",
    "growth_ahead": "Closing in ahead",
    "cut_score": "Picture change",
    "road_user_ahead": "Road user ahead",
    "audio_rms_z": "Loudness",
    "audio_flux_z": "Sudden sound",
    "speed_kmh": "Recorded speed",
    "acceleration_g": "Recorded force",
    "packet_size_z": "Size of the pictures",
    "pictures_per_second": "Pictures looked at",
    "decode_errors": "Damaged places",
}
_TONES = {
    HazardKind.IMPACT: "danger",
    HazardKind.IMPACT_THIRD_PARTY: "danger",
    HazardKind.HARD_BRAKE: "warn",
    HazardKind.NEAR_MISS: "warn",
}
_CUT_KINDS = (IntegrityCode.EDIT_CUT, IntegrityCode.TIMESTAMP_GAP)


@dataclass(frozen=True)
class Lane:
    label: str
    unit: str
    top: int
    text_top: int
    path: str
    threshold_y: str
    peak: str
    peak_at: str
    threshold: str


@dataclass(frozen=True)
class Mark:
    """Something in time on the timeline; x and width in percent of the axis, `seek` in seconds for the player."""

    label: str
    tone: str
    x: str
    width: str
    peak_x: str
    label_x: str
    anchor: str
    top: int
    text_top: int
    seek: str
    start: str
    end: str
    score: str
    source: str


@dataclass(frozen=True)
class Cut:
    label: str
    x: str
    at: str


@dataclass(frozen=True)
class Tick:
    x: str
    label: str
    anchor: str


@dataclass(frozen=True)
class Timeline:
    duration: str
    duration_words: str
    height: int
    lane_height: int
    axis_top: int
    tick_y: int
    lanes: list[Lane]
    marks: list[Mark]
    cuts: list[Cut]
    ticks: list[Tick]


def timeline_of(
    assessment: Assessment, *, evidence: Sequence[Evidence], duration_seconds: float | None
) -> Timeline | None:
    """Return the drawing of the assessment's signals and hazards, None where nothing was measured in time."""
    duration = _duration(assessment, duration_seconds)
    if duration <= 0:
        return None
    marks, rows = _marks(assessment.hazards, duration)
    lanes_top = _TOP + rows * _MARK_ROW + (4 if rows else 0)
    lanes = [_lane(signal, position, lanes_top, duration) for position, signal in enumerate(assessment.signals)]
    axis_top = lanes_top + len(lanes) * (LANE_HEIGHT + _LABEL_ROW) + 4
    return Timeline(
        duration=f"{duration:.3f}",
        duration_words=clock_words(duration),
        height=axis_top + _AXIS,
        lane_height=LANE_HEIGHT,
        axis_top=axis_top,
        tick_y=axis_top + 16,
        lanes=lanes,
        marks=marks,
        cuts=[_cut(item, duration) for item in evidence if item.kind in _CUT_KINDS],
        ticks=_ticks(duration),
    )


def _duration(assessment: Assessment, duration_seconds: float | None) -> float:
    if duration_seconds:
        return duration_seconds
    ends = [s["start_seconds"] + s["step_seconds"] * len(s["values"]) for s in assessment.signals]
    return float(max(ends, default=0.0))


def _percent(seconds: float, duration: float) -> float:
    return min(max(seconds / duration, 0.0), 1.0) * 100


def _lane(signal: dict[str, Any], position: int, lanes_top: int, duration: float) -> Lane:
    values: list[float] = signal["values"]
    threshold: float | None = signal.get("threshold")
    low, high = _bounds(values, threshold)
    top = lanes_top + position * (LANE_HEIGHT + _LABEL_ROW) + _LABEL_ROW
    peak = max(range(len(values)), key=lambda i: abs(values[i]), default=0)
    at = signal["start_seconds"] + peak * signal["step_seconds"]
    return Lane(
        label=_LABELS.get(signal["name"], code_words(signal["name"])),
        unit="" if signal["unit"] in ("1", "z") else signal["unit"],
        top=top,
        text_top=top - 4,
        path=_path(values, low, high, signal["start_seconds"], signal["step_seconds"], duration),
        threshold_y="" if threshold is None else f"{_height(threshold, low, high):.1f}",
        peak=number_words(values[peak]) if values else "",
        peak_at=clock_words(at),
        threshold="" if threshold is None else number_words(threshold),
    )


def _bounds(values: Sequence[float], threshold: float | None) -> tuple[float, float]:
    low = min(0.0, min(values, default=0.0))
    high = max(max(values, default=1.0), threshold or 0.0)
    return low, high if high > low else low + 1.0


def _height(value: float, low: float, high: float) -> float:
    inner = LANE_HEIGHT - 3  # the line is as thick as it is; its peak must not be cut off
    return 1.5 + inner * (1 - (value - low) / (high - low))


def _path(values: Sequence[float], low: float, high: float, start: float, step: float, duration: float) -> str:
    """Return a line that keeps the highest and lowest value of each bucket in the order in which they come."""
    size = max(1, -(-len(values) // _BUCKETS))
    points = []
    for first in range(0, len(values), size):
        bucket = range(first, min(first + size, len(values)))
        ends = {min(bucket, key=lambda i: values[i]), max(bucket, key=lambda i: values[i])}
        for index in sorted(ends):
            x = _percent(start + index * step, duration) / 100 * LANE_WIDTH
            points.append(f"{x:.1f} {_height(values[index], low, high):.1f}")
    return f"M{'L'.join(points)}" if points else ""


def _marks(hazards: Iterable[dict[str, Any]], duration: float) -> tuple[list[Mark], int]:
    """Return the hazards laid out in rows so that no label covers another, and how many rows that took."""
    row_ends: list[float] = []
    marks = []
    for hazard in sorted(hazards, key=lambda h: h["start_seconds"]):
        label = code_words(hazard["kind"])
        x, end = _percent(hazard["start_seconds"], duration), _percent(hazard["end_seconds"], duration)
        text = len(label) * _LABEL_SHARE_PER_LETTER + 2
        leftwards = end + text > 100
        left, right = (x - text, end) if leftwards else (x, end + text)
        row = next((i for i, taken in enumerate(row_ends) if taken <= left), len(row_ends))
        row_ends[row : row + 1] = [right]
        marks.append(_mark(hazard, label, x, end, row, duration, leftwards=leftwards))
    return marks, len(row_ends)


def _mark(
    hazard: dict[str, Any], label: str, x: float, end: float, row: int, duration: float, *, leftwards: bool
) -> Mark:
    peak = hazard.get("peak_seconds")
    at = hazard["start_seconds"] if peak is None else peak
    return Mark(
        label=label,
        tone=_TONES.get(hazard["kind"], "info"),
        x=f"{x:.2f}",
        width=f"{max(end - x, 0.4):.2f}",
        peak_x=f"{_percent(at, duration):.2f}",
        label_x=f"{x - 0.8 if leftwards else max(end, x + 0.4) + 0.8:.2f}",
        anchor="end" if leftwards else "start",
        top=_TOP + row * _MARK_ROW,
        text_top=_TOP + row * _MARK_ROW + 12,
        seek=f"{at:.3f}",
        start=clock_words(hazard["start_seconds"]),
        end=clock_words(hazard["end_seconds"]),
        score=f"{hazard['score']:.2f}",
        source=code_words(hazard["source"]),
    )


def _cut(item: Evidence, duration: float) -> Cut:
    return Cut(code_words(item.kind), f"{_percent(item.at_seconds, duration):.2f}", clock_words(item.at_seconds))


def _ticks(duration: float) -> list[Tick]:
    step = next((s for s in _TICK_STEPS if duration / s <= _TICKS_AT_MOST), duration / _TICKS_AT_MOST)
    ticks = []
    for index in range(int(duration / step) + 1):
        share = _percent(index * step, duration)
        anchor = "start" if index == 0 else "end" if share > 97 else "middle"
        ticks.append(Tick(f"{share:.2f}", tick_words(index * step, step), anchor))
    return ticks
