"""The one file that runs the detector: road users in a picture, by OpenCV's own network engine.

The weights are the file that `manage.py fetch_models` installs (CenterNet, COCO classes). 70 ms of one core a picture;
onnxruntime takes 45 ms and would be 140 MB more to install.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE = 512
_INPUT, _PEAKS, _SIDES = "pictures", "peaks", "sides"
_CELL_PX = 4
# COCO classes that a road carries; a van is a car to one picture and a truck to the next, so they count as one.
VEHICLE, TWO_WHEELER, PERSON = "vehicle", "two_wheeler", "person"
_GROUPS = {0: PERSON, 1: TWO_WHEELER, 2: VEHICLE, 3: TWO_WHEELER, 5: VEHICLE, 7: VEHICLE}
# Below this a windscreen's reflections become road users; a track needs several hits anyway.
_LEAST_SCORE = 0.3
_SAME_OVERLAP = 0.6
# What begins this far down is the own bonnet, or lies on it.
_BONNET_TOP = 0.74
_MOST_FOUND = 30

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A region in shares of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Where it stands across, 0 left to 1 right."""
        return (self.left + self.right) / 2

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0–1."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        if across <= 0 or down <= 0:
            return 0.0
        both = across * down
        return both / (self.width * self.height + other.width * other.height - both)


@dataclass(frozen=True)
class Detection:
    group: str
    score: float
    box: Box


class DetectorFailed(RuntimeError):
    """The network cannot be run on this machine; what does not need it goes on."""


class Detector:
    """Finds road users. Raises DetectorFailed for a file that is no network, or none that runs here."""

    def __init__(self, weights: Path) -> None:
        try:
            self._net = cv2.dnn.readNetFromONNX(str(weights))
        except cv2.error as problem:
            raise DetectorFailed("The detector cannot be loaded.") from problem

    def find(self, bgr: Image) -> list[Detection]:
        """Return the road users of a picture, the surest first; the own bonnet is not among them."""
        rgb = cv2.cvtColor(cv2.resize(bgr, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
        self._net.setInput(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32), _INPUT)
        try:
            peaks, sides = self._net.forward([_PEAKS, _SIDES])
        except cv2.error as problem:
            raise DetectorFailed("The detector cannot be run.") from problem
        found = [d for number, group in _GROUPS.items() for d in _of_class(peaks[0, number], sides[0], group)]
        found = [d for d in found if d.box.top < _BONNET_TOP and d.box.width > 0 and d.box.height > 0]
        return _distinct(sorted(found, key=lambda d: (-d.score, d.box.left)))[:_MOST_FOUND]


def detector_from(weights: Path | None) -> Detector | None:
    """Return the detector, None without weights or where they cannot be loaded."""
    try:
        return Detector(weights) if weights is not None else None
    except DetectorFailed:
        return None


def _of_class(scores: Floats, sides: Floats, group: str) -> list[Detection]:
    """Return a detection for every cell that is the highest of its neighbourhood."""
    highest = (scores == cv2.dilate(scores, np.ones((3, 3), np.uint8))) & (scores >= _LEAST_SCORE)
    return [_detection(scores, sides, int(y), int(x), group) for y, x in np.argwhere(highest)]


def _detection(scores: Floats, sides: Floats, y: int, x: int, group: str) -> Detection:
    left, top, right, bottom = (float(value) for value in sides[:, y, x])
    across, down = x * _CELL_PX, y * _CELL_PX
    edges = (across - left, down - top, across + right, down + bottom)
    return Detection(group, float(scores[y, x]), Box(*(min(max(edge / _SIDE, 0.0), 1.0) for edge in edges)))


def _distinct(found: list[Detection]) -> list[Detection]:
    """Keep the surest of several boxes around the same road user."""
    kept: list[Detection] = []
    for one in found:
        if not any(one.group == other.group and one.box.overlap(other.box) > _SAME_OVERLAP for other in kept):
            kept.append(one)
    return kept
