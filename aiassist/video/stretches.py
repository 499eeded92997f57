"""The second pass over a long clip: decodes the planned stretches whole and nothing else. Runs in the child.

The packets are read in file order once more and only the ones of the stretches reach the decoder, from the keyframe
before each: times are those of the first pass, whatever the container can or cannot seek.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from aiassist.video.container import opened, video_stream
from aiassist.video.limits import DecodeLimits
from aiassist.video.packets import demuxed
from aiassist.video.plan import Stretch
from aiassist.video.stream import MAX_ANALYSIS_FPS, Picture, StreamCounts, gray_picture
from aiassist.video.survey import Survey
from aiassist.video.upright import AS_STORED, turn_of


@dataclass(frozen=True)
class PlacedPicture:
    """A picture with the number of its stretch; its time counts from the clip's first picture."""

    stretch: int
    picture: Picture


@dataclass(frozen=True)
class _Run:
    """Packets, by their numbers in the file, that go to the decoder without a break."""

    first: int
    last: int


class StretchReader:
    """Decodes the stretches of a plan; iterate `pictures()` once. Damage is counted in the survey's counts."""

    def __init__(self, path: Path, survey: Survey, plan: list[Stretch], limits: DecodeLimits) -> None:
        self._path, self._survey, self._plan, self._limits = path, survey, plan, limits
        self._runs = _runs(survey, plan)
        self._times: dict[int, float] = {}
        self._known = frozenset(survey.key_seconds.tolist())
        self._number = 0
        self._last = -1.0

    def pictures(self) -> Iterator[PlacedPicture]:
        """Yields the pictures of all stretches in order of time."""
        if not self._runs:
            return
        with opened(self._path, demuxer=self._survey.container, limits=self._limits) as container:
            stream = video_stream(container, self._limits)
            yield from self._placed(self._frames(container, stream))

    def _frames(self, container: Any, stream: Any) -> Iterator[tuple[Any, float]]:
        """Frames of all runs with their times."""
        waiting = iter(self._runs)
        run = next(waiting)
        number = -1
        # What the container breaks off with was counted by the first pass.
        for packet in demuxed(container, [stream], StreamCounts()):
            if packet.size == 0:
                continue
            number += 1
            if number < run.first:
                continue
            yield from self._decoded(packet, number)
            if number < run.last:
                continue
            yield from self._timed(_flushed(stream))
            self._times.clear()
            after = next(waiting, None)
            if after is None:
                return
            run = after

    def _decoded(self, packet: Any, number: int) -> list[tuple[Any, float]]:
        seconds = float(self._survey.packet_seconds[number])
        if packet.pts is not None:
            self._times[packet.pts] = seconds
        try:
            return self._timed(packet.decode())
        except av.error.FFmpegError:
            if max(0.0, seconds) not in self._survey.counts.damaged_seconds:  # the first pass met some keyframes
                self._survey.counts.add_damage(max(0.0, seconds))
            return []

    def _timed(self, frames: list[Any]) -> list[tuple[Any, float]]:
        """Frames with the times of their packets; one that the decoder invented follows the one before."""
        timed = []
        for frame in frames:
            self._last = self._times.pop(frame.pts, self._last + self._survey.usual_step)
            timed.append((frame, self._last))
        return timed

    def _placed(self, frames: Iterator[tuple[Any, float]]) -> Iterator[PlacedPicture]:
        """The frames that lie in a stretch, at most about 35 a second."""
        turn, current, last = AS_STORED, 0, -1.0
        for frame, seconds in frames:
            self._survey.counts.frames_decoded += seconds not in self._known
            while current < len(self._plan) and seconds > self._plan[current].end_seconds:
                current += 1
            if current == len(self._plan) or seconds < self._plan[current].start_seconds:
                continue
            if frame.is_corrupt or seconds - last < 1.0 / MAX_ANALYSIS_FPS:
                continue
            if self._number == 0:
                turn = turn_of(frame)
            self._number, last = self._number + 1, seconds
            picture = Picture(self._number, seconds, gray_picture(frame, turn), frame, turn)
            yield PlacedPicture(current, picture)


def _flushed(stream: Any) -> list[Any]:
    """The frames that the decoder still holds; afterwards it is ready for another place in the file."""
    try:
        frames = list(stream.codec_context.decode(None))
    except av.error.FFmpegError:
        frames = []
    stream.codec_context.flush_buffers()
    return frames


def _runs(survey: Survey, plan: list[Stretch]) -> list[_Run]:
    """The packets that each stretch needs, from the keyframe before it; runs that touch are one."""
    seconds, keys = survey.packet_seconds, np.flatnonzero(survey.packet_keys)
    found: list[_Run] = []
    for stretch in plan:
        before = keys[seconds[keys] <= stretch.start_seconds + survey.usual_step / 2]
        inside = np.flatnonzero((seconds <= stretch.end_seconds) & (seconds >= stretch.start_seconds))
        if not inside.size:
            continue
        first, last = int(before[-1]) if before.size else 0, int(inside[-1])
        if found and first <= found[-1].last + 1:
            found[-1] = _Run(found[-1].first, max(found[-1].last, last))
        else:
            found.append(_Run(first, last))
    return found
