"""Stands in for the decoding child and does what a hostile file may make a decoder do. The path's name says what."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aiassist.video.child import apply_limits
from aiassist.video.limits import DecodeLimits


def main() -> None:
    request = json.loads(sys.argv[1])
    apply_limits(DecodeLimits(**request["limits"]))
    os.write(1, b"0.25\nlibrary noise\n")
    DEEDS[Path(request["path"]).stem](Path(request["folder"]))


def hang(folder: Path) -> None:
    time.sleep(60)


def hang_with_closed_output(folder: Path) -> None:
    os.close(1)
    time.sleep(60)


def crash(folder: Path) -> None:
    ctypes.string_at(0)


def burn(folder: Path) -> None:
    while True:
        pass


def hoard(folder: Path) -> None:
    held = bytearray()
    while True:
        held += b"x" * (16 * 1024 * 1024)


def flood(folder: Path) -> None:
    with (folder / "flood").open("wb") as stream:
        while True:
            stream.write(bytes(1024 * 1024))
            stream.flush()


def lie(folder: Path) -> None:
    (folder / "result.json").write_text('{"measurements": {"facts": NaN}, "peak_resident_bytes": 1}')


def look(folder: Path) -> None:
    (folder / "seen.json").write_text(json.dumps(dict(os.environ)))


DEEDS: dict[str, Callable[[Path], None]] = {
    "hangs": hang,
    "hangs_with_closed_output": hang_with_closed_output,
    "crashes": crash,
    "burns": burn,
    "hoards": hoard,
    "floods": flood,
    "lies": lie,
    "looks": look,
}

if __name__ == "__main__":
    main()
