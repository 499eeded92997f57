"""Reads what a file's sensors recorded, on the video's clock. Runs in the child."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from aiassist.video.container import opened, video_stream
from aiassist.video.limits import DecodeLimits
from aiassist.video.packets import demuxed
from aiassist.video.robust import Array
from aiassist.video.stream import StreamCounts
from aiassist.video.telemetry.boxes import accelerations, sensor_boxes, timed_lines
from aiassist.video.telemetry.nmea import Fix, fixes_in, trusted

MAX_TRACKS = 4
MAX_PACKETS, MAX_PACKET_BYTES = 50_000, 4096
MAX_FIXES = 50_000
# Gravity is in the values (about 1 g at rest) or was taken out; a sensor that rests at anything else has another unit.
WITH_GRAVITY_G, WITHOUT_GRAVITY_G = (0.7, 1.3), 0.3


@dataclass(frozen=True)
class Recorded:
    """Sensors over time; times count from the first picture. Accelerations are horizontal, in g, gravity removed."""

    fix_seconds: Array = field(default_factory=lambda: np.zeros(0))
    fixes: tuple[Fix, ...] = ()
    shock_seconds: Array = field(default_factory=lambda: np.zeros(0))
    shock_g: Array = field(default_factory=lambda: np.zeros((0, 3)))

    @property
    def is_empty(self) -> bool:
        return not self.fixes and not self.shock_seconds.size

    @property
    def horizontal_g(self) -> Array:
        return np.asarray(np.linalg.norm(self.shock_g, axis=1))


def read_telemetry(path: Path, *, demuxer: str, limits: DecodeLimits) -> Recorded:
    """Reads the sensors of a file; empty where it carries none that is known."""
    with opened(path, demuxer=demuxer, limits=limits) as container:
        return telemetry_in(container, video_stream(container, limits), path, demuxer=demuxer)


def telemetry_in(container: Any, video: Any, path: Path, *, demuxer: str) -> Recorded:
    """Reads the sensors of an opened file, which is read to its end where it has text or data tracks."""
    timed = _track_fixes(container, video)
    seconds, shocks = np.zeros(0), np.zeros((0, 3))
    if demuxer == "mov":
        boxes = sensor_boxes(path)
        if not timed:
            timed = [(at, fix) for at, line in timed_lines(boxes.gps)[:MAX_FIXES] for fix in fixes_in(line)]
        seconds, shocks = horizontal(*accelerations(boxes.acceleration))
    timed = _in_order(timed)
    return Recorded(np.array([at for at, _ in timed]), tuple(fix for _, fix in timed), seconds, shocks)


def _track_fixes(container: Any, video: Any) -> list[tuple[float, Fix]]:
    """Fixes of the text and data tracks, each at the time of its packet."""
    tracks = [track for track in container.streams if track.type in ("subtitle", "data")][:MAX_TRACKS]
    if not tracks:
        return []
    zero = float(video.start_time * video.time_base) if video.start_time is not None else 0.0
    for track in container.streams:
        if track not in tracks:
            track.discard = av.stream.Discard.all
    found: list[tuple[float, Fix]] = []
    for packet in _texts(container, tracks):
        seconds = float(packet.pts * packet.time_base) - zero
        found += [(seconds, fix) for fix in fixes_in(bytes(packet).decode("ascii", "replace"))]
        if len(found) >= MAX_FIXES:
            break
    return found


def _texts(container: Any, tracks: list[Any]) -> Iterator[Any]:
    """Packets that may hold a sentence."""
    for number, packet in enumerate(demuxed(container, tracks, StreamCounts())):
        if number >= MAX_PACKETS:
            return
        if packet.pts is not None and 0 < packet.size <= MAX_PACKET_BYTES:
            yield packet


def _in_order(timed: list[tuple[float, Fix]]) -> list[tuple[float, Fix]]:
    """The trusted fixes in order of the video's time, one per moment."""
    believed = [pair for pair, ok in zip(timed, trusted([fix for _, fix in timed]), strict=True) if ok]
    moments: dict[float, Fix] = {}
    for seconds, fix in sorted(believed, key=lambda pair: pair[0]):
        moments.setdefault(round(seconds, 3), fix)
    return list(moments.items())


def horizontal(seconds: Array, axes: Array) -> tuple[Array, Array]:
    """The part of each acceleration (n, 3) across gravity, less what the sensor shows at rest.

    Gravity itself tells which way is down, however the camera is mounted; potholes are up and down, blows and brakes
    are not. Empty when the values at rest are neither gravity nor nothing: then their unit is not known.
    """
    if seconds.size < 2:
        return np.zeros(0), np.zeros((0, 3))
    rest = np.median(axes, axis=0)
    size = float(np.linalg.norm(rest))
    change = axes - rest
    if WITH_GRAVITY_G[0] <= size <= WITH_GRAVITY_G[1]:
        down = rest / size
        return seconds, np.asarray(change - (change @ down)[:, None] * down)
    if size <= WITHOUT_GRAVITY_G:
        return seconds, np.asarray(change)
    return np.zeros(0), np.zeros((0, 3))
