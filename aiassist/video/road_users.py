"""Road users near candidate moments: tracks and time to contact as evidence, added to what was measured without them.

Evidence only: hazards and the features of the severity model stay what they are without a detector, because nothing was
trained or calibrated on tracks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aiassist.types import EvidenceStage, Finding, Hazard, Measurements
from aiassist.video.detection import PERSON, TWO_WHEELER, VEHICLE, Box, Detector, DetectorFailed
from aiassist.video.facts import NO_DETECTOR
from aiassist.video.film import FilmPicture, FilmRoll
from aiassist.video.keyframes import boxed_jpeg
from aiassist.video.robust import Array
from aiassist.video.signals import signal_from
from aiassist.video.tracks import LONGEST_GAP_SECONDS, Closing, Seen, Track, follow

SIGNAL = "road_user_ahead"
# The detector costs 70 ms of one core a picture: some two seconds of processor time a clip, two or three moments.
MOST_PICTURES = 32
SPARSE_PICTURES = 8
BEFORE_SECONDS, AFTER_SECONDS = 2.5, 0.5
# Pictures further apart than this cannot be told to show the same road user: long clips are thinned more.
WIDEST_STEP_SECONDS = 0.5
# The central corridor, and how far beside the middle something is in the own way, in its own widths: its half and the
# own half, with less than what parks at the kerb or drives in the next lane has (1.7 and more of a car's widths).
CORRIDOR_HALF_WIDTH = 0.17
WAY_WIDTHS = {VEHICLE: 0.6, TWO_WHEELER: 1.2, PERSON: 2.0}
# So tall in a sparse picture, something is near enough to look closer (a car at about 10 m).
NEAR_HEIGHT = 0.25
# Grows by so much a second beyond its error: 2.4 s to contact at a steady speed, where a forward-collision warning has
# to speak at the latest when the vehicle ahead brakes (NHTSA's NCAP test procedure, 2013).
CLOSING_THRESHOLD = round(1 / 2.4, 4)
MOST_FINDINGS = 5
_NAMES = {VEHICLE: "vehicle", TWO_WHEELER: "two-wheeler", PERSON: "person"}


@dataclass(frozen=True)
class _Approach:
    track: Track
    closing: Closing


def with_road_users(measurements: Measurements, *, film: FilmRoll, detector: Detector | None) -> Measurements:
    """Return the measurements with the detector's evidence; unchanged, and degraded as before, where it cannot help.

    That is without weights that run here, for a clip that is no dashcam view, and where the kept pictures lie too far
    apart.
    """
    if detector is None or measurements.not_assessable_reason is not None or film.step_seconds > WIDEST_STEP_SECONDS:
        return measurements
    try:
        pictures = _look(film, _moments(measurements.hazards), detector)
    except DetectorFailed:
        return measurements
    tracks = follow(pictures)
    findings = [_finding(approach, film) for approach in _approaches(tracks)]
    ordered = sorted([*measurements.findings, *findings], key=lambda finding: (finding.start_seconds, finding.kind))
    signal = signal_from(
        SIGNAL, "share", *_ahead(tracks, pictures), duration_seconds=measurements.facts.duration_seconds
    )
    return replace(
        measurements,
        findings=tuple(ordered),
        signals=(*measurements.signals, signal),
        degraded=tuple(code for code in measurements.degraded if code != NO_DETECTOR),
    )


def _moments(hazards: Iterable[Hazard]) -> list[float]:
    """Return when to look, the surest hazards first."""
    return [hazard.start_seconds for hazard in sorted(hazards, key=lambda h: (-h.score, h.start_seconds))]


def _look(film: FilmRoll, moments: Sequence[float], detector: Detector) -> list[Seen]:
    """Return what the detector finds around the moments, over the whole clip sparsely, and where that shows something
    near; in order of time and at most MOST_PICTURES."""
    seen: dict[float, Seen] = {}

    def look_at(pictures: Iterable[FilmPicture]) -> None:
        for picture in pictures:
            if picture.seconds not in seen and len(seen) < MOST_PICTURES:
                seen[picture.seconds] = Seen(picture.seconds, detector.find(picture.bgr()))

    look_at(film.spread(SPARSE_PICTURES))
    near = [picture.seconds for picture in seen.values() if _something_near(picture)]
    for moment in [*moments, *near]:
        look_at(film.between(moment - BEFORE_SECONDS, moment + AFTER_SECONDS))
    return [seen[seconds] for seconds in sorted(seen)]


def _something_near(picture: Seen) -> bool:
    return any(found.box.height >= NEAR_HEIGHT and _in_the_way(found.group, found.box) for found in picture.found)


def _in_the_way(group: str, box: Box) -> bool:
    """Whether the own vehicle would meet it going straight on."""
    return abs(box.middle - 0.5) <= min(CORRIDOR_HALF_WIDTH, WAY_WIDTHS[group] * box.width)


def _approaches(tracks: Sequence[Track]) -> list[_Approach]:
    """Return the surest closing of each track that stays ahead, the fastest first."""
    found = []
    for track in tracks:
        closings = [
            closing
            for closing in track.closings()
            if closing.surely > CLOSING_THRESHOLD
            and all(_in_the_way(track.group, s.box) for s in track.samples if _between(closing, s.seconds))
        ]
        if closings:
            found.append(_Approach(track, max(closings, key=lambda closing: closing.surely)))
    return sorted(found, key=lambda approach: -approach.closing.surely)[:MOST_FINDINGS]


def _between(closing: Closing, seconds: float) -> bool:
    return closing.first.seconds <= seconds <= closing.last.seconds


def _finding(approach: _Approach, film: FilmRoll) -> Finding:
    closing, last = approach.closing, approach.closing.last
    return Finding(
        kind="closing_on_road_user",
        stage=EvidenceStage.PROXIMITY,
        measure="sure_growth_per_second",
        value=round(closing.surely, 4),
        threshold=CLOSING_THRESHOLD,
        start_seconds=round(closing.first.seconds, 3),
        end_seconds=round(last.seconds, 3),
        at_seconds=round(last.seconds, 3),
        keyframe_jpeg=_picture(approach, film),
    )


def _picture(approach: _Approach, film: FilmRoll) -> bytes | None:
    closing, box = approach.closing, approach.closing.last.box
    kept = film.nearest(closing.last.seconds)
    if kept is None:
        return None
    contact, spread = closing.contact_seconds, closing.contact_error_seconds
    lines = (
        f"{_NAMES[approach.track.group]} ahead: {contact:.2f} s to contact, +/- {spread:.2f} s",
        f"proximity at {closing.last.seconds:.2f} s, tracked from {closing.first.seconds:.2f} s",
    )
    return boxed_jpeg(kept, (box.left, box.top, box.right, box.bottom), lines)


def _ahead(tracks: Sequence[Track], pictures: Sequence[Seen]) -> tuple[Array, Array]:
    """Return times and heights of what is ahead, 0 from where the next picture is too far off to go on from."""
    rows: list[tuple[float, float]] = []
    for picture, following in zip(pictures, [*pictures[1:], None], strict=True):
        rows.append((picture.seconds, _height_ahead(tracks, picture.seconds)))
        until = picture.seconds + LONGEST_GAP_SECONDS
        if following is None or following.seconds > until:
            rows.append((until, 0.0))
    table = np.array(rows)
    return table[:, 0], table[:, 1]


def _height_ahead(tracks: Sequence[Track], seconds: float) -> float:
    """Return how tall the tallest road user in the corridor is at a moment, 0 without one."""
    heights = [
        sample.box.height
        for track in tracks
        for sample in track.samples
        if sample.seconds == seconds and _in_the_way(track.group, sample.box)
    ]
    return max(heights, default=0.0)
