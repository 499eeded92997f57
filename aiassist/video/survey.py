"""The first pass over a long clip: all sound, all packet sizes, and a keyframe every two seconds. Runs in the child.

Keyframes alone decode at about 35 times real time where all pictures reach 6.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from aiassist.video.container import claimed_duration_seconds, codec_name, opened, promised_seconds, video_stream
from aiassist.video.errors import DecodeFailed
from aiassist.video.film import FilmRoll
from aiassist.video.limits import DecodeLimits
from aiassist.video.observe import GRID_COLS, GRID_ROWS, Floats, cells
from aiassist.video.packets import PacketTable, demuxed
from aiassist.video.robust import Array
from aiassist.video.sound import SoundTrack
from aiassist.video.stream import MAX_DECODE_ERRORS, Picture, StreamCounts, gray_picture
from aiassist.video.upright import Turn, turn_of

# One keyframe in this time is decoded, and at most so many in all.
KEY_STEP_SECONDS = 2.0
MOST_KEYS = 600
PROGRESS_EVERY_PACKETS = 1000


@dataclass(frozen=True)
class Survey:
    """What one pass without full decoding tells; packet arrays are in file order, times count from picture one."""

    container: str
    codec: str
    width_px: int
    height_px: int
    has_audio_stream: bool
    promised_seconds: float
    counts: StreamCounts
    packet_seconds: Array
    packet_sizes: Array
    packet_keys: NDArray[np.bool_]
    packet_shown: NDArray[np.bool_]
    key_seconds: Array
    key_thumbs: Floats
    samples: NDArray[np.int16]
    film: FilmRoll

    @property
    def duration_seconds(self) -> float:
        """Time from the first to the last picture."""
        return self.counts.last_seconds

    @property
    def usual_step(self) -> float:
        return float(np.median(self.counts.steps)) if self.counts.steps else 0.0


def survey(
    path: Path, *, demuxer: str, limits: DecodeLimits, on_progress: Callable[[float], None] | None = None
) -> Survey:
    """Reads every packet once; raises DecodeFailed when no keyframe can be decoded."""
    with opened(path, demuxer=demuxer, limits=limits) as container:
        stream = video_stream(container, limits)
        claimed = claimed_duration_seconds(container, stream, limits)
        reader = _Reader(container, stream, limits, claimed)
        reader.read(on_progress)
        if not reader.key_thumbs:
            raise DecodeFailed("No picture of the file can be decoded.")
        return reader.result(demuxer, codec_name(stream), promised_seconds(container, stream, limits))


class _Reader:
    """Reads the packets in file order; `read` once, then `result`."""

    def __init__(self, container: Any, stream: Any, limits: DecodeLimits, claimed_seconds: float) -> None:
        self._container, self._stream, self._limits = container, stream, limits
        self._claimed = claimed_seconds
        audio = [track for track in container.streams.audio if track.codec_context is not None]
        self._audio = audio[0] if audio else None
        self._sound = SoundTrack(limits.max_duration_seconds) if self._audio else None
        rate = float(stream.average_rate or stream.guessed_rate or 30)
        self._table = PacketTable(nominal_step=1.0 / min(max(rate, 1.0), 240.0))
        self._counts = StreamCounts()
        self._film = FilmRoll(claimed_seconds)
        self._key_step = max(KEY_STEP_SECONDS, claimed_seconds / MOST_KEYS)
        self._times: dict[int, float] = {}
        self._next_key: float | None = None
        self._size = (0, 0)
        self._turn: Turn | None = None
        self.key_seconds: list[float] = []
        self.key_thumbs: list[Floats] = []

    def read(self, on_progress: Callable[[float], None] | None) -> None:
        tracks = [self._stream] + ([self._audio] if self._audio else [])
        last = 0.0
        for packet in demuxed(self._container, tracks, self._counts):
            if packet.stream is not self._stream:
                self._add_sound(packet)
            elif packet.size == 0:
                self._keep(self._decoded(packet))
            else:
                last = self._table.add(packet)
                self._offer(packet, last)
            if self._is_over(last):
                return
            if on_progress is not None and self._claimed > 0 and self._table.count % PROGRESS_EVERY_PACKETS == 0:
                on_progress(min(1.0, max(0.0, last) / self._claimed))

    def _is_over(self, file_seconds: float) -> bool:
        """True beyond the longest duration accepted, or where everything read is noise."""
        beyond = self._table.count > 0 and file_seconds - self._table.first_seconds > self._limits.max_duration_seconds
        return beyond or self._counts.decode_errors >= MAX_DECODE_ERRORS

    def _offer(self, packet: Any, seconds: float) -> None:
        """Decodes the packet when it is a keyframe whose turn has come."""
        if packet.is_keyframe and (self._next_key is None or seconds >= self._next_key):
            self._next_key = seconds + self._key_step * 0.9
            if packet.pts is not None:
                self._times[packet.pts] = seconds
            self._counts.last_seconds = seconds
            self._keep(self._decoded(packet))

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            return [frame for frame in packet.decode() if not frame.is_corrupt]
        except av.error.FFmpegError:
            self._counts.add_damage(self._counts.last_seconds)
            return []

    def _keep(self, frames: list[Any]) -> None:
        for frame in frames:
            seconds = self._times.pop(frame.pts, None)
            if seconds is None:
                continue
            if self._turn is None:
                self._turn = turn_of(frame)
            turn = self._turn
            gray = gray_picture(frame, turn)
            self._size = turn.size(frame.width, frame.height)
            self.key_seconds.append(seconds)
            self.key_thumbs.append(cells(gray))
            zero = self.key_seconds[0]
            self._film.offer(Picture(len(self.key_seconds), seconds - zero, gray, frame, turn), stands_out=False)

    def _add_sound(self, packet: Any) -> None:
        assert self._sound is not None
        for frame in self._decoded(packet):
            self._sound.add(frame)

    def result(self, demuxer: str, codec: str, promised: float) -> Survey:
        """Everything on the clock of the first picture."""
        zero = self._table.zero_seconds()
        seconds, shown = self._table.seconds(), self._table.shown()
        visible = np.sort(seconds[shown & (seconds >= 0)])
        counts = self._counts
        counts.first_seconds = zero
        counts.frames_decoded = len(self.key_seconds)
        counts.clock_breaks = self._table.clock_breaks
        counts.steps = np.diff(visible).tolist()
        counts.last_seconds = float(visible[-1]) if visible.size else 0.0
        counts.damaged_seconds = [max(0.0, at - zero) for at in counts.damaged_seconds]
        samples = self._sound.samples_from(zero) if self._sound else np.zeros(0, np.int16)
        self._sound = None
        return Survey(
            container=demuxer,
            codec=codec,
            width_px=self._size[0],
            height_px=self._size[1],
            has_audio_stream=self._audio is not None,
            promised_seconds=promised,
            counts=counts,
            packet_seconds=seconds,
            packet_sizes=self._table.sizes(),
            packet_keys=self._table.keys(),
            packet_shown=shown,
            key_seconds=np.array(self.key_seconds) - zero,
            key_thumbs=np.stack(self.key_thumbs).reshape(-1, GRID_ROWS, GRID_COLS),
            samples=samples,
            film=self._film,
        )
