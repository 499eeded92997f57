"""Keeps a bounded set of small pictures while decoding, so that evidence can be shown without a second decode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.video.stream import Picture, plane_of, shrunk
from aiassist.video.upright import AS_STORED, Turn

FILM_WIDTH = 640
# 240 pictures of 640 x 360 in 4:2:0 are 83 MB: four a second for a minute, thinned for longer clips.
MAX_STEADY_PICTURES = 240
MAX_EXTRA_PICTURES = 60
STEADY_STEP_SECONDS = 0.25
EXTRA_GAP_SECONDS = 0.1
COARSE, COARSE_CHROMA = (64, 36), (32, 18)


@dataclass(frozen=True)
class FilmPicture:
    seconds: float
    planes: NDArray[np.uint8]  # I420: height * 3 / 2 rows

    def bgr(self) -> NDArray[np.uint8]:
        return _bgr(self.planes)

    def coarse_bgr(self) -> NDArray[np.uint8]:
        """The picture's colours at 64 x 36, for a seventh of the price of all of it."""
        height, width = self.planes.shape[0] * 2 // 3, self.planes.shape[1]
        chroma = self.planes[height:].reshape(2, height // 2, width // 2)
        planes = [
            cv2.resize(plane, size, interpolation=cv2.INTER_AREA).reshape(-1)
            for plane, size in ((self.planes[:height], COARSE), *((part, COARSE_CHROMA) for part in chroma))
        ]
        return _bgr(np.asarray(np.concatenate(planes).reshape(COARSE[1] * 3 // 2, COARSE[0]), np.uint8))


class FilmRoll:
    """Pictures at a steady pace, and extra ones at moments that stand out while they pass."""

    def __init__(self, claimed_seconds: float) -> None:
        self._step = max(STEADY_STEP_SECONDS, claimed_seconds / MAX_STEADY_PICTURES)
        self._next_steady = 0.0
        self._last_extra = -1.0
        self._steady: list[FilmPicture] = []
        self._extra: list[FilmPicture] = []

    @classmethod
    def joined(cls, rolls: Sequence[FilmRoll]) -> FilmRoll:
        """One roll with the pictures of several, which are in order of time and on one clock."""
        whole = cls(0.0)
        for roll in rolls:
            whole._steady += roll._steady
            whole._extra += roll._extra
            whole._step = max(whole._step, roll._step)
        return whole

    @property
    def pictures(self) -> int:
        """How many it keeps."""
        return len(self._steady) + len(self._extra)

    def offer(self, picture: Picture, *, stands_out: bool) -> FilmPicture | None:
        """Keeps the picture when its time has come; returns it when it is one of the steady ones."""
        seconds = picture.seconds
        if seconds >= self._next_steady:
            if len(self._steady) >= MAX_STEADY_PICTURES:  # the file is longer than it claimed
                self._steady = self._steady[::2]
                self._step *= 2
            kept = FilmPicture(seconds, small_planes(picture.frame, picture.turn))
            self._steady.append(kept)
            self._next_steady = seconds + self._step * 0.999
            return kept
        if stands_out and seconds >= self._last_extra + EXTRA_GAP_SECONDS and len(self._extra) < MAX_EXTRA_PICTURES:
            self._extra.append(FilmPicture(seconds, small_planes(picture.frame, picture.turn)))
            self._last_extra = seconds
        return None

    def nearest(self, seconds: float) -> FilmPicture | None:
        """The kept picture nearest in time."""
        everything = self._steady + self._extra
        return min(everything, key=lambda kept: (abs(kept.seconds - seconds), kept.seconds), default=None)

    def around(self, seconds: float) -> tuple[FilmPicture | None, FilmPicture | None]:
        """The last kept picture before a time and the first one from it on."""
        everything = self._steady + self._extra
        before = [kept for kept in everything if kept.seconds < seconds - 1e-6]
        after = [kept for kept in everything if kept.seconds >= seconds - 1e-6]
        return (
            max(before, key=lambda kept: kept.seconds, default=None),
            min(after, key=lambda kept: kept.seconds, default=None),
        )

    def between(self, first: float, last: float) -> list[FilmPicture]:
        """The kept pictures of a stretch, in order of time."""
        stretch = [kept for kept in self._steady + self._extra if first <= kept.seconds <= last]
        return sorted(stretch, key=lambda kept: kept.seconds)

    @property
    def step_seconds(self) -> float:
        """How far apart the steady pictures are."""
        return self._step

    def move(self, later_seconds: float) -> None:
        """Puts the kept pictures on another clock, once no more are offered."""
        for pictures in (self._steady, self._extra):
            pictures[:] = [replace(kept, seconds=kept.seconds + later_seconds) for kept in pictures]

    @property
    def last_seconds(self) -> float:
        return max((kept.seconds for kept in self._steady + self._extra), default=0.0)

    def spread(self, count: int) -> list[FilmPicture]:
        """Up to `count` steady pictures, evenly over the clip, without its very edges."""
        if len(self._steady) <= count:
            return list(self._steady)
        positions = (np.arange(count) + 0.5) * len(self._steady) / count
        return [self._steady[int(position)] for position in positions]


def _bgr(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), np.uint8)


def small_planes(frame: Any, turn: Turn = AS_STORED) -> NDArray[np.uint8]:
    """The picture as shown, at most 640 wide, as I420; both sides even, as the format asks."""
    shown_width, shown_height = turn.size(frame.width, frame.height)
    width = max(2, min(FILM_WIDTH, shown_width) // 2 * 2)
    height = max(2, min(round(shown_height * width / shown_width / 2) * 2, 2 * FILM_WIDTH))
    stored = turn.size(width, height)
    halved = (stored[0] // 2, stored[1] // 2)
    if frame.format.name not in ("yuv420p", "yuvj420p"):
        frame = frame.reformat(*stored, "yuv420p", interpolation="AREA")
        planes = [plane_of(frame, number) for number in range(3)]
    else:
        # OpenCV scales the planes five times as fast as the general scaler.
        planes = [shrunk(plane_of(frame, number), size) for number, size in enumerate((stored, halved, halved))]
    shown = [np.ascontiguousarray(turn.shown(plane)).reshape(-1) for plane in planes]
    return np.asarray(np.concatenate(shown).reshape(height * 3 // 2, width), np.uint8)
