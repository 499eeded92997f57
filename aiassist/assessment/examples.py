"""Rendered clips with their exact truth and what was measured in them; what training, calibration and benchmarks eat.

Both steps are kept in a folder: the clip under its spec and the renderer's code, the measurement also under the
measuring code, so that a change of one repeats only what depends on it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from aiassist.rendering.encode import render_clip
from aiassist.rendering.film import truth_of
from aiassist.rendering.scenario import ClipSpec, Truth
from aiassist.types import Measurements
from aiassist.video.decoding import measure_video
from aiassist.video.wire import measurements_from, read_result, write_measurements

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Example:
    """One rendered clip."""

    spec: ClipSpec
    truth: Truth
    measurements: Measurements


def rendered_examples(specs: Iterable[ClipSpec], folder: Path) -> Iterator[Example]:
    """Yield each clip in turn, rendered and measured unless the folder already holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    for spec in specs:
        clip = folder / f"{_key(repr(spec), code_hash('rendering'))}.mp4"
        result = folder / f"{_key(clip.stem, code_hash('video'))}.measured"
        if not result.is_dir():
            _measure(spec, clip, result)
        measured = measurements_from(read_result(result)["measurements"], folder=result)
        yield Example(spec, truth_of(spec), measured)


def _measure(spec: ClipSpec, clip: Path, result: Path) -> None:
    """Write the measurement of a clip without its pictures; both files appear whole or not at all."""
    with tempfile.TemporaryDirectory(dir=clip.parent) as room:
        if not clip.is_file():
            render_clip(spec, Path(room) / "clip.mp4")
            (Path(room) / "clip.mp4").rename(clip)
        measured = measure_video(clip)
        bare = replace(
            measured,
            keyframes=(),
            findings=tuple(replace(finding, keyframe_jpeg=None) for finding in measured.findings),
        )
        unfinished = Path(room) / "measured"
        unfinished.mkdir()
        write_measurements(bare, folder=unfinished, peak_resident_bytes=0)
        unfinished.rename(result)


@cache
def code_hash(package: str) -> str:
    """Return a hash over the source of `aiassist/<package>`."""
    digest = hashlib.sha256()
    for path in sorted((_ROOT / package).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _key(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]
