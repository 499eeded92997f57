"""The strongest moments of a clip in which nothing passed a threshold: what a person should look at all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from aiassist.types import EvidenceStage, HazardKind
from aiassist.video.analysis import Analysis
from aiassist.video.bystanders import SLOW_JUMP_Z, Jumps, box_of_cell
from aiassist.video.events import Event, score_from
from aiassist.video.impacts import SHAKE_UNIT_Z
from aiassist.video.proximity import NEAR_EXCESS
from aiassist.video.robust import Array

# Half a second around the moment: enough to see what moved.
HALF_RANGE_SECONDS = 0.25
# After a crash of the own vehicle everybody around brakes and swerves; one of others needs no lesser evidence.
CRASHES = {HazardKind.IMPACT, HazardKind.IMPACT_THIRD_PARTY}


def strongest_moments(analysis: Analysis, events: Iterable[Event]) -> list[Event]:
    """The hardest shake, the fastest approach and the most sudden change in what others do, where no event tells of it.

    Their values say: this was measured, and it is the most there is. They are evidence, never hazards.
    """
    seconds = analysis.motion.seconds
    moments = [
        _peak(
            HazardKind.IMPACT, EvidenceStage.MOTION, "strongest_shake", "shake_z", seconds, analysis.motion.shake_z,
            SHAKE_UNIT_Z,
        ),
        _peak(
            HazardKind.NEAR_MISS, EvidenceStage.PROXIMITY, "fastest_approach", "growth_per_second",
            analysis.approach.seconds, analysis.approach.excess, NEAR_EXCESS,
        ),
        _change_of_others(seconds, analysis.slow_jumps),
    ]  # fmt: skip
    return untold([moment for moment in moments if moment is not None], events)


def untold(moments: Iterable[Event], events: Iterable[Event]) -> list[Event]:
    """The moments of which no event tells: none of the same stage or, where others move, no crash."""
    told = [(event.stage, event.hazard) for event in events]
    stages, hazards = {stage for stage, _ in told}, {hazard for _, hazard in told}
    return [
        moment
        for moment in moments
        if (not hazards & CRASHES if moment.hazard is HazardKind.IMPACT_THIRD_PARTY else moment.stage not in stages)
    ]


def _change_of_others(seconds: Array, jumps: Jumps) -> Event | None:
    """The strongest jump of any region's motion that a standing or slow camera saw, with the region."""
    moment = _peak(
        HazardKind.IMPACT_THIRD_PARTY, EvidenceStage.MOTION, "strongest_change_of_others", "slow_camera_jump_z",
        seconds, jumps.z, SLOW_JUMP_Z,
    )  # fmt: skip
    return None if moment is None else replace(moment, box=box_of_cell(int(jumps.cell[np.argmax(jumps.z)])))


def _peak(
    hazard: HazardKind, stage: EvidenceStage, kind: str, measure: str, seconds: Array, values: Array, threshold: float
) -> Event | None:
    known = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if not known.size or known.max() <= 0:
        return None
    index = int(np.argmax(known))
    value, at = float(known[index]), float(seconds[index])
    start, end = max(0.0, at - HALF_RANGE_SECONDS), min(float(seconds[-1]), at + HALF_RANGE_SECONDS)
    score = score_from(value, threshold)
    return Event(hazard, stage, kind, measure, value, threshold, start, max(start, end), at, score)
