"""Finds splices and shot changes, before anything else is measured: a cut looks like the hardest impact of all.

Measured on real and rendered clips: across a cut the optical flow fails to carry over 0.4–0.85 of the fine structure,
across the hardest jolt or the shadow of a bridge 0.1–0.25, because a jolt moves the picture and a shadow changes its
light, but both keep it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.video.observe import VideoRecord
from aiassist.video.robust import Array

# Between the 0.25 of an ordinary jolt and the 0.7 of a cut; a splice within one stretch of motorway has 0.4.
FLOW_FAILURE_THRESHOLD = 0.34
# How far the failure must stand out from the three pictures before and after: the hardest crashes reach 0.5 but shake
# for several pictures, a cut is over at once; night noise alone gives 0.4 in every picture.
FLOW_FAILURE_RISE = 0.2
NEIGHBOURS = 3
# The coarse picture must change, too, after the flow is undone: a burst of coding noise leaves it alone.
STRUCTURE_THRESHOLD = 0.012


@dataclass(frozen=True)
class Cut:
    """A break between two pictures; `index` is the first picture after it."""

    index: int
    seconds: float
    score: float


def cut_scores(record: VideoRecord) -> Array:
    """Per picture 0–1 and more: flow failure against its threshold and its neighbourhood; >= 1 is a cut."""
    failure = record.flow_failure.astype(np.float64)
    around = _highest_neighbour(failure)
    absolute = failure / FLOW_FAILURE_THRESHOLD
    rise = (failure - around) / FLOW_FAILURE_RISE
    structure = record.structure_change.astype(np.float64) / STRUCTURE_THRESHOLD
    return np.asarray(np.clip(np.minimum(np.minimum(absolute, rise), structure), 0.0, 4.0))


def find_cuts(record: VideoRecord, scores: Array) -> tuple[Cut, ...]:
    """Every picture whose score reaches 1 and is the highest within two pictures."""
    cuts = []
    for index in np.flatnonzero(scores >= 1.0):
        if scores[index] >= scores[max(0, index - 2) : index + 3].max():
            cuts.append(Cut(int(index), float(record.seconds[index]), float(scores[index])))
    return tuple(cuts)


def around_cuts(record: VideoRecord, cuts: tuple[Cut, ...]) -> NDArray[np.bool_]:
    """Pairs that must not be read as motion: the cut itself."""
    excluded = np.zeros(record.count, bool)
    for cut in cuts:
        excluded[cut.index] = True
    return excluded


def _highest_neighbour(values: Array) -> Array:
    """Highest value among the neighbours on both sides, without the value itself."""
    padded = np.pad(values, NEIGHBOURS, constant_values=0.0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    return np.asarray(np.delete(windows, NEIGHBOURS, axis=1).max(axis=1))
