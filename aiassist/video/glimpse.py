"""One stretch of a long clip, measured as a clip of its own and told on the whole clip's clock.

The measures compare a moment with the seconds around it, and the severity model was made on clips of this length: a
stretch by itself is what both know. What is left of it afterwards is small; its pictures and flow are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from aiassist.types import Finding, IntegrityCode, IntegrityFlag, Keyframe
from aiassist.video.analysis import Analysis, analyse
from aiassist.video.events import Event, finding_of
from aiassist.video.features import features_of
from aiassist.video.film import MAX_STEADY_PICTURES, FilmPicture, FilmRoll
from aiassist.video.gather import Gathered, Watcher
from aiassist.video.hearing import later
from aiassist.video.impacts import SHAKE_UNIT_Z
from aiassist.video.keyframes import clean_jpeg, evidence_jpeg, flag_finding
from aiassist.video.loops import loop_flags
from aiassist.video.observe import Floats
from aiassist.video.plan import Stretch
from aiassist.video.proximity import NEAR_EXCESS
from aiassist.video.quiet import strongest_moments
from aiassist.video.robust import Array
from aiassist.video.sound import SAMPLE_RATE
from aiassist.video.stream import Picture, StreamCounts
from aiassist.video.survey import Survey

# Flow needs pairs, and pairs need company.
FEWEST_PICTURES = 5


@dataclass(frozen=True)
class Glimpse:
    """What one stretch told; all times count from the clip's first picture.

    `film` is there where an event was measured, until `with_few_films` drops it.
    """

    stretch: Stretch
    drives: bool
    pictures: int
    features: dict[str, float]
    events: list[Event]
    event_findings: list[Finding]
    quiet: list[tuple[Event, Finding]]
    flags: list[IntegrityFlag]
    flag_findings: list[Finding]
    series: dict[str, tuple[Array, Array]]
    thumb_seconds: Array
    thumbs: Floats
    peak: Keyframe | None
    film: FilmRoll | None

    @property
    def impact_value(self) -> float:
        return self.features["impact_value"]

    def has(self, code: IntegrityCode) -> bool:
        return any(flag.code is code for flag in self.flags)


def glimpse_of(stretch: Stretch, pictures: Iterable[Picture], survey: Survey) -> Glimpse | None:
    """Measures the pictures of a stretch; None when there are too few of them."""
    gathered, zero = _gathered(pictures, stretch, survey)
    if gathered is None:
        return None
    analysis = analyse(gathered)
    features = features_of(gathered, analysis)
    if features["impact_seconds"] >= 0:
        features["impact_seconds"] = round(features["impact_seconds"] + zero, 6)
    gathered.film.move(zero)
    record = replace(gathered.record, seconds=gathered.record.seconds + zero)
    events = [later(event, zero) for event in analysis.events]
    # A loop's own words name times, so it is told anew.
    flags = [_later_flag(flag, zero) for flag in analysis.flags if flag.code is not IntegrityCode.LOOPED_SEGMENT]
    flags += loop_flags(record)
    quiet = [later(event, zero) for event in strongest_moments(analysis, [])]
    best = max(events, key=lambda event: event.score, default=None)
    shown = gathered.film.nearest(best.peak_seconds) if best is not None else None

    def drawn(event: Event) -> Finding:
        return finding_of(event, evidence_jpeg(event, film=gathered.film, record=record))

    return Glimpse(
        stretch=stretch,
        drives=analysis.view.drives,
        pictures=record.count,
        features=features,
        events=events,
        event_findings=[drawn(event) for event in events],
        quiet=[(event, drawn(event)) for event in quiet],
        flags=flags,
        flag_findings=[flag_finding(flag, film=gathered.film) for flag in flags],
        series=_series(analysis, zero),
        thumb_seconds=record.seconds,
        thumbs=record.thumb,
        peak=_keyframe(shown) if shown is not None else None,
        film=gathered.film if events else None,
    )


def with_few_films(glimpses: list[Glimpse]) -> list[Glimpse]:
    """The glimpses with the films of the surest events alone: together no more than one whole clip's."""
    room = MAX_STEADY_PICTURES
    kept: set[int] = set()
    filmed = [(index, glimpse.film) for index, glimpse in enumerate(glimpses) if glimpse.film is not None]
    for index, film in sorted(filmed, key=lambda pair: (-max(e.score for e in glimpses[pair[0]].events), pair[0])):
        if film.pictures <= room:
            room -= film.pictures
            kept.add(index)
    return [glimpse if index in kept else replace(glimpse, film=None) for index, glimpse in enumerate(glimpses)]


def _gathered(pictures: Iterable[Picture], stretch: Stretch, survey: Survey) -> tuple[Gathered | None, float]:
    """The stretch as if it were a file of its own, and the clip's time of its first picture."""
    watcher = Watcher(stretch.seconds)
    at: list[float] = []
    for picture in pictures:
        at.append(picture.seconds)
        watcher.add(replace(picture, seconds=picture.seconds - at[0]))
    if len(at) < FEWEST_PICTURES:
        return None, 0.0
    first, last = round(at[0] * SAMPLE_RATE), round((at[-1] + survey.usual_step) * SAMPLE_RATE)
    counts = StreamCounts(frames_decoded=len(at), last_seconds=at[-1] - at[0], steps=np.diff(at).tolist())
    gathered = Gathered(
        container=survey.container,
        codec=survey.codec,
        width_px=watcher.size[0],
        height_px=watcher.size[1],
        has_audio_stream=survey.has_audio_stream,
        promised_seconds=stretch.seconds,
        counts=counts,
        record=watcher.observer.record(),
        samples=survey.samples[first:last],
        film=watcher.film,
    )
    return gathered, at[0]


def _series(analysis: Analysis, zero: float) -> dict[str, tuple[Array, Array]]:
    """The picture's time series on the clip's clock."""
    seconds = analysis.motion.seconds + zero
    return {
        "speed_relative": (seconds, analysis.speed.relative),
        "shake_z": (seconds, analysis.motion.shake_z),
        "jolt_z": (seconds, analysis.motion.jolt_z),
        "flow_residual": (seconds, analysis.motion.residual),
        "growth_ahead": (analysis.approach.seconds + zero, analysis.approach.excess),
        "cut_score": (seconds, analysis.scores),
    }


SERIES_UNITS: dict[str, tuple[str, float | None]] = {
    "speed_relative": ("1", None),
    "shake_z": ("z", SHAKE_UNIT_Z),
    "jolt_z": ("z", None),
    "flow_residual": ("px", None),
    "growth_ahead": ("1/s", NEAR_EXCESS),
    "cut_score": ("1", 1.0),
}


def _later_flag(flag: IntegrityFlag, seconds: float) -> IntegrityFlag:
    if flag.start_seconds is None or flag.end_seconds is None:
        return flag
    start, end = round(flag.start_seconds + seconds, 3), round(flag.end_seconds + seconds, 3)
    return replace(flag, start_seconds=start, end_seconds=end)


def _keyframe(shown: FilmPicture) -> Keyframe:
    return Keyframe(round(shown.seconds, 3), clean_jpeg(shown))
