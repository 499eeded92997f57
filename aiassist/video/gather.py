"""The one decode of a file, fanned out to everything that wants pictures or sound. Runs in the child."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiassist.video.container import claimed_duration_seconds, opened, video_stream
from aiassist.video.errors import DecodeFailed
from aiassist.video.film import FilmRoll
from aiassist.video.limits import DecodeLimits
from aiassist.video.observe import Observer, VideoRecord
from aiassist.video.stream import PictureStream, StreamCounts

PROGRESS_EVERY_PICTURES = 15
# The decode is this share of the whole measurement's time; the rest is analysis of the record.
DECODE_SHARE = 0.93


@dataclass(frozen=True)
class Gathered:
    """Everything that one pass over the file left in memory."""

    container: str
    codec: str
    width_px: int
    height_px: int
    has_audio_stream: bool
    claimed_seconds: float
    counts: StreamCounts
    record: VideoRecord
    samples: NDArray[np.int16]
    film: FilmRoll


def gather(
    path: Path, *, demuxer: str, limits: DecodeLimits, on_progress: Callable[[float], None] | None = None
) -> Gathered:
    """Decodes the file once; raises DecodeFailed when it has no picture, MemoryError beyond the memory limit."""
    with opened(path, demuxer=demuxer, limits=limits) as container:
        stream = video_stream(container, limits)
        claimed = claimed_duration_seconds(container, stream)
        pictures = PictureStream(container, stream, limits)
        observer, film, size = Observer(), FilmRoll(claimed), (0, 0)
        for number, picture in enumerate(pictures.pictures()):
            observer.add(picture)
            kept = film.offer(picture.frame, picture.seconds, stands_out=observer.stands_out)
            if kept is not None:
                observer.add_colour(kept.seconds, kept.bgr())
            size = (picture.frame.width, picture.frame.height)
            if number % PROGRESS_EVERY_PICTURES == 0:
                _check_memory(limits)
                if on_progress is not None and claimed > 0:
                    on_progress(DECODE_SHARE * min(1.0, picture.seconds / claimed))
        if not pictures.counts.frames_decoded:
            raise DecodeFailed("No picture of the file can be decoded.")
        first = pictures.counts.first_seconds or 0.0
        samples = pictures.sound.samples_from(first) if pictures.sound else np.zeros(0, np.int16)
        return Gathered(
            container=demuxer,
            codec=stream.codec_context.name,
            width_px=size[0],
            height_px=size[1],
            has_audio_stream=pictures.sound is not None,
            claimed_seconds=claimed,
            counts=pictures.counts,
            record=observer.record(),
            samples=samples,
            film=film,
        )


def _check_memory(limits: DecodeLimits) -> None:
    """The child's own look at its memory, for systems where the parent cannot see it."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if (peak if sys.platform == "darwin" else peak * 1024) > limits.resident_bytes:
        raise MemoryError
