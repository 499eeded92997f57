"""The boxes in which BlackVue cameras keep their sensors: `gps ` and `3gf ` inside a `free` box of an MP4 file.

`gps ` is text, each line an NMEA sentence behind its time in Unix milliseconds. `3gf ` is big-endian: milliseconds
since the start (32 bit) and three axes (16 bit) of 1/128 g, gravity included, ended by a time of all ones.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct(">I4s")
MAX_BOXES = 4096
# An hour is 36,000 lines of gps text and 360 kB of acceleration.
MAX_BOX_BYTES = {b"gps ": 8 * 1024 * 1024, b"3gf ": 2 * 1024 * 1024}
UNITS_PER_G = 128.0
END_OF_RECORDS = 0xFFFFFFFF
RECORD = np.dtype([("ms", ">u4"), ("axes", ">i2", (3,))])
LINE = re.compile(rb"\[(\d{13})\][^\S\r\n]*(\$?[A-Z]{5},[\x20-\x7e]{0,118})")


@dataclass(frozen=True)
class SensorBoxes:
    """Raw contents; empty where the file has none."""

    gps: bytes = b""
    acceleration: bytes = b""


def sensor_boxes(path: Path) -> SensorBoxes:
    """Reads the first `gps ` and `3gf ` box of a file's `free` boxes; broken or oversized boxes count as none."""
    found: dict[bytes, bytes] = {}
    with path.open("rb") as stream:
        end = stream.seek(0, 2)
        for kind, start, stop in _boxes(stream, 0, end):
            if kind != b"free":
                continue
            for inner, inner_start, inner_stop in _boxes(stream, start, stop):
                size = inner_stop - inner_start
                if inner in MAX_BOX_BYTES and inner not in found and size <= MAX_BOX_BYTES[inner]:
                    stream.seek(inner_start)
                    found[inner] = stream.read(size)
    return SensorBoxes(found.get(b"gps ", b""), found.get(b"3gf ", b""))


def _boxes(stream: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each box in a range; ends at the first that makes no sense."""
    for _ in range(MAX_BOXES):
        if start + HEADER.size > end:
            return
        stream.seek(start)
        size, kind = HEADER.unpack(stream.read(HEADER.size))
        content = start + HEADER.size
        if size == 1:
            size, content = int.from_bytes(stream.read(8), "big"), content + 8
        stop = end if size == 0 else start + size
        if stop < content or stop > end:
            return
        yield kind, content, stop
        start = stop


def timed_lines(gps: bytes) -> list[tuple[float, str]]:
    """Seconds since the first line, and the sentence."""
    lines = [(int(found[1]) / 1000.0, found[2].decode("ascii")) for found in LINE.finditer(gps)]
    return [(at - lines[0][0], sentence) for at, sentence in lines]


def accelerations(raw: bytes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds since the start and the three axes in g; only records whose time goes on."""
    records = np.frombuffer(raw[: len(raw) // RECORD.itemsize * RECORD.itemsize], RECORD)
    ends = np.flatnonzero(records["ms"] == END_OF_RECORDS)
    records = records[: ends[0]] if ends.size else records
    seconds = records["ms"].astype(np.float64) / 1000.0
    if not seconds.size:
        return seconds, np.zeros((0, 3))
    onward = np.concatenate([[True], seconds[1:] > np.maximum.accumulate(seconds)[:-1]])
    return seconds[onward], records["axes"][onward].astype(np.float64) / UNITS_PER_G
