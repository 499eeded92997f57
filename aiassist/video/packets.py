"""The packets of a file without decoding them: true times, sizes and keyframes. Runs in the child."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from aiassist.video.robust import Array
from aiassist.video.stream import MAX_CREDIBLE_GAP_SECONDS, StreamCounts

# Encoders put the first picture shown at most this many packets behind the first one stored.
REORDERED_PACKETS = 120


def demuxed(container: Any, tracks: list[Any], counts: StreamCounts) -> Iterator[Any]:
    """Yields the packets of some tracks; where the container breaks off, that is counted and this ends."""
    packets = iter(container.demux(tracks))
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            counts.add_damage(counts.last_seconds)
            return
        if packet is None:
            return
        yield packet


@dataclass
class PacketTable:
    """Times, sizes and kinds of the video packets in file order, filled by `add`.

    A packet's time is its presentation time on one clock that never runs back: where the file's clock is set back or
    leaps, everything after it is moved on.
    """

    nominal_step: float
    clock_breaks: int = 0
    _seconds: list[float] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)
    _keys: list[bool] = field(default_factory=list)
    _shown: list[bool] = field(default_factory=list)
    _shift: float = 0.0
    _last: float | None = None

    def add(self, packet: Any) -> float:
        """Takes the next packet and returns its time, still counted from the file's own zero."""
        base = float(packet.time_base)
        order = packet.dts if packet.dts is not None else packet.pts
        stored = float(order) * base - self._shift if order is not None else None
        if self._last is not None:
            step = stored - self._last if stored is not None else self.nominal_step
            if step < 0 or step > MAX_CREDIBLE_GAP_SECONDS:
                self.clock_breaks += 1
                self._shift += step - self.nominal_step
                step = self.nominal_step
            stored = self._last + step
        self._last = stored if stored is not None else 0.0
        shown = float(packet.pts) * base - self._shift if packet.pts is not None else self._last
        self._seconds.append(shown)
        self._sizes.append(int(packet.size))
        self._keys.append(bool(packet.is_keyframe))
        self._shown.append(not packet.is_discard)
        return shown

    @property
    def count(self) -> int:
        return len(self._seconds)

    @property
    def first_seconds(self) -> float:
        """The file's time of the first packet stored."""
        return self._seconds[0]

    def zero_seconds(self) -> float:
        """The file's time of the first picture that is shown; pictures before the first keyframe cannot be decoded."""
        shown = [number for number in range(self.count) if self._shown[number]][:REORDERED_PACKETS]
        if not shown:
            return self._seconds[0] if self._seconds else 0.0
        first = next((number for number in shown if self._keys[number]), shown[0])
        return min(self._seconds[number] for number in shown if self._seconds[number] >= self._seconds[first])

    def seconds(self) -> Array:
        """Time of each packet since the first picture, in file order."""
        return np.array(self._seconds, np.float64) - self.zero_seconds()

    def sizes(self) -> Array:
        return np.array(self._sizes, np.float64)

    def keys(self) -> NDArray[np.bool_]:
        return np.array(self._keys, bool)

    def shown(self) -> NDArray[np.bool_]:
        return np.array(self._shown, bool)
