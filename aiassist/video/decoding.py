"""The two doors to a video file: the quick probe at upload and the full measurement in the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiassist.types import Measurements
from aiassist.video.errors import DecodeFailed
from aiassist.video.limits import MEASURE_LIMITS, PROBE_LIMITS, DecodeLimits
from aiassist.video.sandbox import private_folder, run_child
from aiassist.video.sniff import demuxer_for_file
from aiassist.video.wire import measurements_from, read_result


@dataclass(frozen=True)
class VideoProbe:
    """What the container says about a file of which at least one picture was decoded."""

    container: str
    codec: str
    width_px: int
    height_px: int
    duration_seconds: float
    mean_fps: float
    has_audio: bool


@dataclass(frozen=True)
class MeasuredVideo:
    """The measurements and what they cost: peak resident memory of the decoding child."""

    measurements: Measurements
    peak_resident_bytes: int


def probe_video(path: Path, *, limits: DecodeLimits = PROBE_LIMITS) -> VideoProbe:
    """Says what a file is after decoding one picture of it; raises DecodeFailed (`unreadable_video`) otherwise."""
    demuxer = _demuxer_of(path)
    with private_folder() as folder_name:
        folder = Path(folder_name)
        try:
            run_child(task="probe", path=path, demuxer=demuxer, folder=folder, limits=limits)
        except DecodeFailed as problem:
            raise DecodeFailed(problem.message, extra=problem.extra) from problem
        try:
            return VideoProbe(**read_result(folder)["probe"])
        except (KeyError, TypeError) as problem:
            raise DecodeFailed("Reading the video gave no result.") from problem


def measure_video(
    path: Path,
    *,
    on_progress: Callable[[float], None] | None = None,
    limits: DecodeLimits = MEASURE_LIMITS,
    detector: Path | None = None,
) -> Measurements:
    """Measures everything the pipeline reads from a file, in a child process; `on_progress` gets shares 0–1.

    `detector` is the file with the detector's weights; without it road users are not tracked, and that is said.

    Raises DecodeFailed, DecodeTimeout or DecodeOutOfMemory, and MachineBusy, which says nothing about the file.
    """
    return measure_video_and_cost(path, on_progress=on_progress, limits=limits, detector=detector).measurements


def measure_video_and_cost(
    path: Path,
    *,
    on_progress: Callable[[float], None] | None = None,
    limits: DecodeLimits = MEASURE_LIMITS,
    detector: Path | None = None,
) -> MeasuredVideo:
    """Measures a file like `measure_video` and also returns the child's peak memory."""
    demuxer = _demuxer_of(path)
    with private_folder() as folder_name:
        folder = Path(folder_name)
        run_child(
            task="measure",
            path=path,
            demuxer=demuxer,
            folder=folder,
            limits=limits,
            on_progress=on_progress,
            detector=detector,
        )
        told = read_result(folder)
        try:
            content, peak = told["measurements"], int(told["peak_resident_bytes"])
        except (KeyError, TypeError, ValueError) as problem:
            raise DecodeFailed("Reading the video gave no result.") from problem
        return MeasuredVideo(measurements_from(content, folder=folder), peak)


def _demuxer_of(path: Path) -> str:
    """The demuxer to force, by content; raises DecodeFailed for everything that is no video container."""
    try:
        demuxer = demuxer_for_file(path)
    except OSError as problem:
        raise DecodeFailed("The file cannot be opened.") from problem
    if demuxer is None:
        raise DecodeFailed("The content is not a known video container (MP4, MOV, MKV, WebM, AVI, MPEG).")
    return demuxer
