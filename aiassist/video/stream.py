"""One pass over a file: pictures in presentation order with true times, sound on the side. Runs in the child.

Damaged packets are counted and skipped, so a file is assessed as far as it decodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.video.limits import DecodeLimits
from aiassist.video.sound import SoundTrack
from aiassist.video.upright import AS_STORED, Turn, turn_of

Gray = NDArray[np.uint8]

# Flow and comparisons run at this size: DIS reached 64 x real time here, and a jolt of one pixel is still seen.
ANALYSIS_WIDTH, ANALYSIS_HEIGHT = 320, 180
# Pictures beyond this rate add cost, not knowledge: 60 fps clips are read at every second picture.
MAX_ANALYSIS_FPS = 35.0
# A longer jump than this is a broken clock (a wrap or an edit list), not a pause in the recording.
MAX_CREDIBLE_GAP_SECONDS = 600.0
# With so many damaged packets the rest is noise; it also bounds the work on hostile files.
MAX_DECODE_ERRORS = 5_000
# Packets of sound decoded in a row: 20 s of AAC beside 1080p pictures take 0.04 s of processor time so, and 0.17 s one
# by one, between pictures that empty the processor's caches.
SOUND_BATCH = 32


@dataclass(frozen=True)
class Picture:
    """One decoded picture: `seconds` counts from the first picture; `gray` is turned as shown, `frame` as stored."""

    index: int
    seconds: float
    gray: Gray
    frame: Any
    turn: Turn = AS_STORED


@dataclass
class StreamCounts:
    """What happened while decoding; filled while the pictures are read."""

    frames_decoded: int = 0
    decode_errors: int = 0
    clock_breaks: int = 0
    first_seconds: float | None = None
    last_seconds: float = 0.0
    steps: list[float] = field(default_factory=list)
    damaged_seconds: list[float] = field(default_factory=list)

    def add_damage(self, seconds: float) -> None:
        """Counts something that could not be decoded, at the time where the reading stands."""
        self.decode_errors += 1
        self.damaged_seconds.append(seconds)


class PictureStream:
    """Decodes video and sound together; iterate `pictures()` once, then read `counts` and `sound`."""

    def __init__(self, container: Any, stream: Any, limits: DecodeLimits) -> None:
        self._container = container
        self._stream = stream
        self._limits = limits
        self.counts = StreamCounts()
        audio = [track for track in container.streams.audio if track.codec_context is not None]
        self._audio = audio[0] if audio else None
        self.sound = SoundTrack(limits.max_duration_seconds) if self._audio else None
        self._unheard: list[tuple[Any, float]] = []
        rate = float(stream.average_rate or stream.guessed_rate or 30)
        self._nominal_step = 1.0 / min(max(rate, 1.0), 240.0)
        self._every = max(1, round(rate / MAX_ANALYSIS_FPS + 0.2)) if rate > MAX_ANALYSIS_FPS else 1

    def pictures(self) -> Iterator[Picture]:
        """Yields pictures with true times until the file, the limits or the readable part ends."""
        turn, last_shown = AS_STORED, 0.0
        for frame in self._video_frames():
            seconds = self._seconds_of(frame)
            if seconds > self._limits.max_duration_seconds:
                return
            number = self.counts.frames_decoded
            self.counts.frames_decoded += 1
            if number == 0:
                turn = turn_of(frame)
            # A file may claim any rate: what comes as slowly as it should is never skipped.
            if number % self._every == 0 or seconds - last_shown >= 1.0 / MAX_ANALYSIS_FPS:
                last_shown = seconds
                yield Picture(number, seconds, gray_picture(frame, turn), frame, turn)

    def _video_frames(self) -> Iterator[Any]:
        """Demuxes everything, hands sound to the collector and yields video frames."""
        tracks = [self._stream] + ([self._audio] if self._audio else [])
        packets = iter(self._container.demux(tracks))
        try:
            while self.counts.decode_errors < MAX_DECODE_ERRORS:
                try:
                    packet = next(packets, None)
                except av.error.FFmpegError:
                    self.counts.add_damage(self.counts.last_seconds)  # the demuxer cannot go on: the tail is lost
                    return
                if packet is None:
                    return
                if packet.stream is self._stream:
                    yield from self._decoded(packet, self.counts.last_seconds)
                else:
                    self._keep_sound(packet)
        finally:
            self._hear()

    def _keep_sound(self, packet: Any) -> None:
        self._unheard.append((packet, self.counts.last_seconds))
        if len(self._unheard) >= SOUND_BATCH:
            self._hear()

    def _hear(self) -> None:
        """Decodes the sound that was put aside."""
        for packet, seconds in self._unheard:
            for frame in self._decoded(packet, seconds):
                if self.sound is not None:
                    self.sound.add(frame)
        self._unheard.clear()

    def _decoded(self, packet: Any, seconds: float) -> list[Any]:
        """The frames of one packet; a damaged packet is counted, at the time given, and gives none."""
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self.counts.add_damage(seconds)
            return []
        if packet.stream is self._stream:
            for _ in filter(_is_corrupt, frames):
                self.counts.add_damage(seconds)
        return list(frames)

    def _seconds_of(self, frame: Any) -> float:
        """Seconds since the first picture; a clock that runs back or leaps is continued at the nominal step."""
        counts = self.counts
        stamp = frame.time
        if counts.first_seconds is None:
            counts.first_seconds = stamp if stamp is not None else 0.0
            self._shift = counts.first_seconds
            return 0.0
        seconds = stamp - self._shift if stamp is not None else counts.last_seconds + self._nominal_step
        step = seconds - counts.last_seconds
        if step <= 0 or step > MAX_CREDIBLE_GAP_SECONDS:
            counts.clock_breaks += 1
            self._shift += step - self._nominal_step
            seconds, step = counts.last_seconds + self._nominal_step, self._nominal_step
        counts.steps.append(step)
        counts.last_seconds = seconds
        return float(seconds)


def _is_corrupt(frame: Any) -> bool:
    return bool(frame.is_corrupt)


def gray_picture(frame: Any, turn: Turn = AS_STORED) -> Gray:
    """The picture as 320 x 180 luma as shown, straight from the Y plane where the format has one of 8 bits."""
    width, height = turn.size(ANALYSIS_WIDTH, ANALYSIS_HEIGHT)
    if frame.format.name in ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "nv12", "yuv444p", "yuvj444p", "gray"):
        small = shrunk(plane_of(frame, 0), (width, height))
    else:
        small = frame.reformat(width, height, "gray", interpolation="AREA").to_ndarray()
    return np.ascontiguousarray(turn.shown(small), np.uint8)


def shrunk(plane: Gray, size: tuple[int, int]) -> Gray:
    """The plane at another size, each pixel the mean of the area it covers.

    A third and a sixth (of 1080p) are taken by vectorised loops, nearly twice as fast as the general one; a mean of
    means differs from the mean by its rounding alone.
    """
    width, height = size
    if plane.shape == (6 * height, 6 * width):
        plane = np.asarray(cv2.resize(plane, (3 * width, 3 * height), interpolation=cv2.INTER_AREA), np.uint8)
    if plane.shape == (3 * height, 3 * width):
        return np.ascontiguousarray(cv2.blur(plane, (3, 3))[1::3, 1::3], np.uint8)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)


def plane_of(frame: Any, number: int) -> Gray:
    """One 8-bit plane of a picture without its padding; a view, valid as long as the frame."""
    plane = frame.planes[number]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
