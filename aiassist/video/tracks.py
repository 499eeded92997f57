"""Detections of one road user over time: predicted by a Kalman filter, matched by overlap, and how fast it grows.

What comes nearer at a steady speed grows: the slope of the logarithm of its size is one over the time to contact. Two
pictures alone are noise, so the slope is fitted over five samples and more and carries its standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aiassist.video.detection import Box, Detection

MIN_HITS, MIN_SAMPLES = 3, 5
# A gap longer than this begins a new track: four pictures a second make it two missed ones.
LONGEST_GAP_SECONDS = 0.8
_LEAST_OVERLAP = 0.25
# Standard deviations: of a detected edge (share of the picture, and of the logarithm of a size), and of how much the
# rate of change itself changes in a second.
_POSITION_NOISE, _SIZE_NOISE = 0.015, 0.06
_POSITION_JERK, _SIZE_JERK = 0.25, 0.8
# The fit looks back so far: five pictures of the film. Longer, and an approach that quickens is told too late.
FIT_SECONDS = 1.25
# A box at the edge of the picture is cut off and tells no size.
_EDGE = 0.01

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """What was found in one picture."""

    seconds: float
    found: Sequence[Detection]


@dataclass(frozen=True)
class Sample:
    seconds: float
    box: Box


@dataclass(frozen=True)
class Closing:
    """How fast something grows (1/s) at the end of the samples from `first` to `last`, and the standard error."""

    first: Sample
    last: Sample
    per_second: float
    error: float

    @property
    def surely(self) -> float:
        """The growth that is left when the error is taken off."""
        return self.per_second - self.error

    @property
    def contact_seconds(self) -> float:
        """From the last sample to contact at a steady speed; the slope is that of the middle of the samples."""
        return max(1.0 / self.per_second - (self.last.seconds - self.first.seconds) / 2, 0.0)

    @property
    def contact_error_seconds(self) -> float:
        return self.error / self.per_second**2


@dataclass
class Track:
    """One road user; four independent filters of place and rate: middle across and down, logarithms of the sides."""

    group: str
    samples: list[Sample] = field(default_factory=list)
    _state: Array = field(default_factory=lambda: np.zeros((4, 2)))
    _covariance: Array = field(default_factory=lambda: np.zeros((4, 2, 2)))

    @property
    def confirmed(self) -> bool:
        return len(self.samples) >= MIN_HITS

    def predicted(self, seconds: float) -> Box:
        """Where it should be at a time."""
        passed = seconds - self.samples[-1].seconds
        return _box_of(self._state[:, 0] + passed * self._state[:, 1])

    def add(self, seconds: float, box: Box) -> None:
        """Take a further detection in."""
        measured, noise = _values_of(box), _NOISE**2
        if not self.samples:
            self._state[:, 0] = measured
            self._covariance[:, 0, 0] = noise
            self._covariance[:, 1, 1] = _FIRST_RATE**2
        else:
            self._predict(seconds - self.samples[-1].seconds)
            gain = self._covariance[:, :, 0] / (self._covariance[:, 0, 0] + noise)[:, None]
            self._state += gain * (measured - self._state[:, 0])[:, None]
            self._covariance -= gain[:, :, None] * self._covariance[:, :1, :]
        self.samples.append(Sample(seconds, box))

    def _predict(self, passed: float) -> None:
        move = np.array([[1.0, passed], [0.0, 1.0]])
        drift = np.array([[passed**4 / 4, passed**3 / 2], [passed**3 / 2, passed**2]])
        self._state = self._state @ move.T
        self._covariance = move @ self._covariance @ move.T + (_JERK**2)[:, None, None] * drift

    def closings(self) -> list[Closing]:
        """Return the growth at every sample that has enough whole samples behind it."""
        whole = [sample for sample in self.samples if _is_whole(sample.box)]
        found = []
        for index in range(MIN_SAMPLES - 1, len(whole)):
            last = whole[index]
            window = [s for s in whole[: index + 1] if s.seconds >= last.seconds - FIT_SECONDS]
            if len(window) >= MIN_SAMPLES:
                found.append(_fitted(window))
        return found


_NOISE = np.array([_POSITION_NOISE, _POSITION_NOISE, _SIZE_NOISE, _SIZE_NOISE])
_JERK = np.array([_POSITION_JERK, _POSITION_JERK, _SIZE_JERK, _SIZE_JERK])
# Nothing is known of a rate at first: half the picture, or a doubling, in a second.
_FIRST_RATE = np.array([0.5, 0.5, 0.7, 0.7])


def follow(pictures: Sequence[Seen]) -> list[Track]:
    """Return the tracks through the pictures, which are in order of time; only those with enough hits."""
    tracks: list[Track] = []
    for picture in pictures:
        alive = [t for t in tracks if picture.seconds - t.samples[-1].seconds <= LONGEST_GAP_SECONDS]
        free = list(range(len(picture.found)))
        for _, track_index, number in _matches(alive, picture):
            if number in free and alive[track_index].samples[-1].seconds < picture.seconds:
                alive[track_index].add(picture.seconds, picture.found[number].box)
                free.remove(number)
        for number in free:
            track = Track(picture.found[number].group)
            track.add(picture.seconds, picture.found[number].box)
            tracks.append(track)
    return [track for track in tracks if track.confirmed]


def _matches(alive: Sequence[Track], picture: Seen) -> list[tuple[float, int, int]]:
    """Return (overlap, track, detection), the best first, for what may be the same road user."""
    pairs = [
        (track.predicted(picture.seconds).overlap(found.box), index, number)
        for index, track in enumerate(alive)
        for number, found in enumerate(picture.found)
        if found.group == track.group
    ]
    return sorted((pair for pair in pairs if pair[0] >= _LEAST_OVERLAP), key=lambda pair: (-pair[0], *pair[1:]))


def _fitted(window: Sequence[Sample]) -> Closing:
    seconds = np.array([sample.seconds for sample in window])
    sizes = np.array([np.log(sample.box.width * sample.box.height) / 2 for sample in window])
    centred = seconds - seconds.mean()
    slope = float((centred * sizes).sum() / (centred**2).sum())
    rest = sizes - sizes.mean() - slope * centred
    error = float(np.sqrt((rest**2).sum() / (len(window) - 2) / (centred**2).sum()))
    return Closing(window[0], window[-1], slope, error)


def _is_whole(box: Box) -> bool:
    return box.left > _EDGE and box.top > _EDGE and box.right < 1 - _EDGE and box.bottom < 1 - _EDGE


def _values_of(box: Box) -> Array:
    return np.array([box.middle, (box.top + box.bottom) / 2, np.log(box.width), np.log(box.height)])


def _box_of(values: Array) -> Box:
    across, down = float(values[0]), float(values[1])
    width, height = (float(np.exp(min(value, 0.0))) for value in values[2:])
    return Box(across - width / 2, down - height / 2, across + width / 2, down + height / 2)
