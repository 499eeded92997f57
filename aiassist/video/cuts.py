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

# Across a splice within one stretch of road 0.29-0.4 of the fine structure is lost, across two drives 0.45-0.85.
FLOW_FAILURE_THRESHOLD = 0.26
# How far the failure must stand out from the three pictures before and after, in itself and as a multiple of them: a
# crash shakes for several pictures, a cut is over at once; night noise alone gives 0.4 in every picture.
FLOW_FAILURE_RISE, FLOW_FAILURE_RATIO = 0.105, 1.6
NEIGHBOURS = 3
# The coarse picture must change, too, after the flow is undone: a burst of coding noise leaves it alone.
STRUCTURE_THRESHOLD = 0.012
# After a blow the camera rings on: the motion of the whole picture changes by 4 to 12 px from one picture to the next,
# after a cut and on rough roads by less than 1.
RINGING_PX = 2.0
RINGING_PICTURES = slice(2, 9)


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
    measures = (
        failure / FLOW_FAILURE_THRESHOLD,
        (failure - around) / FLOW_FAILURE_RISE,
        failure / np.maximum(around, 1e-3) / FLOW_FAILURE_RATIO,
        record.structure_change.astype(np.float64) / STRUCTURE_THRESHOLD,
    )
    scores = np.clip(np.minimum.reduce(measures), 0.0, 4.0)
    for index in np.flatnonzero(scores >= 1.0):
        if _rings_after(record, int(index)):
            scores[index] = 0.0
    return np.asarray(scores)


def _rings_after(record: VideoRecord, index: int) -> bool:
    """True when the whole picture keeps jerking after a picture: a blow, no cut."""
    return _unrest(record, slice(index + RINGING_PICTURES.start - 1, index + RINGING_PICTURES.stop)) > RINGING_PX


def _unrest(record: VideoRecord, part: slice) -> float:
    """Root mean square change of the median flow from picture to picture, in pixels of 320."""
    whole = np.median(record.flow[part].astype(np.float64).reshape(record.flow[part].shape[0], -1, 2), axis=1)
    return float(np.sqrt(np.square(np.diff(whole, axis=0)).sum(axis=1).mean())) if whole.shape[0] > 2 else 0.0


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
