"""The one shape in which every stage reports what it found, before pictures are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from aiassist.types import EvidenceStage, Finding, Hazard, HazardKind


@dataclass(frozen=True)
class Event:
    """Something measured against a threshold in a time range.

    `box` is the region it was measured in (left, top, right, bottom as shares of the picture), where it has one.
    """

    hazard: HazardKind
    stage: EvidenceStage
    kind: str
    measure: str
    value: float
    threshold: float
    start_seconds: float
    end_seconds: float
    peak_seconds: float
    score: float
    box: tuple[float, float, float, float] | None = None


def hazard_of(event: Event) -> Hazard:
    return Hazard(
        kind=event.hazard,
        start_seconds=round(event.start_seconds, 3),
        end_seconds=round(event.end_seconds, 3),
        score=round(min(max(event.score, 0.0), 1.0), 3),
        source=event.stage.value.lower(),
        peak_seconds=round(event.peak_seconds, 3),
    )


def finding_of(event: Event, keyframe_jpeg: bytes | None) -> Finding:
    return Finding(
        kind=event.kind,
        stage=event.stage,
        measure=event.measure,
        value=round(event.value, 4),
        threshold=round(event.threshold, 4),
        start_seconds=round(event.start_seconds, 3),
        end_seconds=round(event.end_seconds, 3),
        at_seconds=round(event.peak_seconds, 3),
        keyframe_jpeg=keyframe_jpeg,
    )


def score_from(value: float, threshold: float) -> float:
    """How sure a value over its threshold makes: 0.5 at the threshold, 0.8 at twice it, towards 1."""
    if threshold <= 0 or value <= 0:
        return 0.0
    ratio = value / threshold
    return ratio * ratio / (1.0 + ratio * ratio)
