"""The strongest moments of a clip in which nothing passed a threshold: what a person should look at all the same."""

from __future__ import annotations

import numpy as np

from aiassist.types import EvidenceStage, HazardKind
from aiassist.video.events import Event, score_from
from aiassist.video.impacts import SHAKE_UNIT_Z
from aiassist.video.motion import CameraMotion
from aiassist.video.proximity import NEAR_EXCESS, Approach
from aiassist.video.robust import Array

# Half a second around the moment: enough to see what moved.
HALF_RANGE_SECONDS = 0.25


def strongest_moments(motion: CameraMotion, approach: Approach, events: list[Event]) -> list[Event]:
    """The hardest shake and the fastest approach, each where its stage found nothing over its threshold.

    Their values lie under the threshold, which is what they tell: this was measured, and it is the most there is.
    They are evidence, never hazards.
    """
    found = {event.stage for event in events}
    moments: list[Event] = []
    if EvidenceStage.MOTION not in found:
        moments += _peak(
            HazardKind.IMPACT, EvidenceStage.MOTION, "strongest_shake", "shake_z", motion.seconds, motion.shake_z,
            SHAKE_UNIT_Z,
        )  # fmt: skip
    if EvidenceStage.PROXIMITY not in found:
        moments += _peak(
            HazardKind.NEAR_MISS, EvidenceStage.PROXIMITY, "fastest_approach", "growth_per_second", approach.seconds,
            approach.excess, NEAR_EXCESS,
        )  # fmt: skip
    return moments


def _peak(
    hazard: HazardKind, stage: EvidenceStage, kind: str, measure: str, seconds: Array, values: Array, threshold: float
) -> list[Event]:
    known = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if not known.size or known.max() <= 0:
        return []
    index = int(np.argmax(known))
    value, at = float(known[index]), float(seconds[index])
    start, end = max(0.0, at - HALF_RANGE_SECONDS), min(float(seconds[-1]), at + HALF_RANGE_SECONDS)
    score = score_from(value, threshold)
    return [Event(hazard, stage, kind, measure, value, threshold, start, max(start, end), at, score)]
