"""The one decode of a file, fanned out to everything that wants pictures or sound. Runs in the child."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiassist.video.ahead import ahead
from aiassist.video.container import claimed_duration_seconds, codec_name, opened, promised_seconds, video_stream
from aiassist.video.errors import DecodeFailed
from aiassist.video.film import FilmRoll
from aiassist.video.limits import DecodeLimits
from aiassist.video.observe import Observer, VideoRecord
from aiassist.video.stream import Picture, PictureStream, StreamCounts

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
    promised_seconds: float
    counts: StreamCounts
    record: VideoRecord
    samples: NDArray[np.int16]
    film: FilmRoll


class LongerThanClaimed(Exception):
    """The clip goes on beyond the time up to which it may be decoded whole; the reader chooses another way."""


def gather(
    path: Path,
    *,
    demuxer: str,
    limits: DecodeLimits,
    on_progress: Callable[[float], None] | None = None,
    most_seconds: float | None = None,
) -> Gathered:
    """Decodes the whole file once.

    Raises DecodeFailed when it has no picture and LongerThanClaimed beyond `most_seconds`.
    """
    with opened(path, demuxer=demuxer, limits=limits) as container:
        stream = video_stream(container, limits)
        claimed = claimed_duration_seconds(container, stream, limits)
        pictures = PictureStream(container, stream, limits)
        watcher = Watcher(claimed)
        with closing(ahead(pictures.pictures())) as coming:
            for number, picture in enumerate(coming):
                if most_seconds is not None and picture.seconds > most_seconds:
                    raise LongerThanClaimed
                watcher.add(picture)
                if number % PROGRESS_EVERY_PICTURES == 0 and on_progress is not None and claimed > 0:
                    on_progress(DECODE_SHARE * min(1.0, picture.seconds / claimed))
        if not pictures.counts.frames_decoded:
            raise DecodeFailed("No picture of the file can be decoded.")
        first = pictures.counts.first_seconds or 0.0
        return Gathered(
            container=demuxer,
            codec=codec_name(stream),
            width_px=watcher.size[0],
            height_px=watcher.size[1],
            has_audio_stream=pictures.sound is not None,
            promised_seconds=promised_seconds(container, stream, limits),
            counts=pictures.counts,
            record=watcher.observer.record(),
            samples=pictures.sound.samples_from(first) if pictures.sound else np.zeros(0, np.int16),
            film=watcher.film,
        )


class Watcher:
    """Everything that looks at each picture: the measures, the film and its small colour pictures."""

    def __init__(self, expected_seconds: float) -> None:
        self.observer = Observer()
        self.film = FilmRoll(expected_seconds)
        self.size = (0, 0)

    def add(self, picture: Picture) -> None:
        self.observer.add(picture)
        kept = self.film.offer(picture, stands_out=self.observer.stands_out)
        if kept is not None:
            self.observer.add_colour(kept.seconds, kept.coarse_bgr())
        self.size = picture.turn.size(picture.frame.width, picture.frame.height)
