"""Measures a clip of more than a minute in two passes: a survey of all of it, then its telling stretches whole.

Decoding every picture takes a sixth of the clip's time at best. What was decoded whole is told by the signal
`pictures_per_second`, and `degraded` says that the rest was only surveyed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path

import numpy as np

from aiassist.types import Finding, HazardKind, IntegrityCode, IntegrityFlag, Keyframe, Measurements, Signal, VideoFacts
from aiassist.video.ahead import ahead
from aiassist.video.cues import SIZE_Z, cues_of, packet_unrest
from aiassist.video.damage import damage_findings, ends_early, missing_end
from aiassist.video.detection import Detector
from aiassist.video.errors import DecodeFailed
from aiassist.video.events import Event, finding_of, hazard_of
from aiassist.video.facts import HASHED_PICTURES, NO_DETECTOR, NO_SOUND, TORN, is_variable
from aiassist.video.film import FilmRoll
from aiassist.video.glimpse import SERIES_UNITS, Glimpse, glimpse_of, with_few_films
from aiassist.video.hashes import difference_hash
from aiassist.video.hearing import Hearing, hear
from aiassist.video.integrity import GAP_SECONDS, GAP_STEPS
from aiassist.video.keyframes import clean_jpeg, evidence_jpeg, flag_finding
from aiassist.video.limits import DecodeLimits
from aiassist.video.plan import Stretch, even_pictures, planned
from aiassist.video.quiet import untold
from aiassist.video.road_users import with_road_users
from aiassist.video.robust import Array
from aiassist.video.signals import signal_from
from aiassist.video.stretches import StretchReader
from aiassist.video.survey import Survey, survey
from aiassist.video.telemetry.attach import with_telemetry
from aiassist.video.telemetry.measures import telemetry_events
from aiassist.video.telemetry.tracks import Recorded

UNSAMPLED = "unsampled_stretches"
SURVEY_SHARE, STRETCH_SHARE = 0.4, 0.97
MAX_FINDINGS, MOST_FLAGS = 40, 20
KEYFRAMES, EVENT_KEYFRAMES = 8, 4
# A clip is black or a test card when nearly all of what was seen of it is; no dashcam view when nothing drives and
# half of it looks like none: the other half may have been empty.
WHOLE_SHARE, VIEW_SHARE = 0.9, 0.5
BLOCKING = (
    (IntegrityCode.TEST_BARS, WHOLE_SHARE),
    (IntegrityCode.STATIC_BLACK, WHOLE_SHARE),
    (IntegrityCode.NOT_DASHCAM, VIEW_SHARE),
)
# Told by the packets of the whole clip, not by single stretches.
TOLD_BY_PACKETS = IntegrityCode.TIMESTAMP_GAP


def measure_surveyed(
    path: Path,
    surveyed: Survey,
    recorded: Recorded,
    *,
    limits: DecodeLimits,
    on_progress: Callable[[float], None] | None = None,
    detector: Detector | None = None,
) -> Measurements:
    """Measures a surveyed clip; the same file gives the same values, bit by bit.

    The detector looks only where an event was measured: elsewhere nobody knows what it would be evidence of.
    """
    hearing = hear(surveyed.samples)
    shocks = telemetry_events(recorded)
    plan = planned(cues_of(surveyed, hearing, shocks), surveyed.duration_seconds)
    glimpses: list[Glimpse] = []
    for glimpse in _glimpses(path, surveyed, plan, limits):
        glimpses = with_few_films([*glimpses, glimpse])
        if on_progress is not None:
            done = glimpse.stretch.end_seconds / max(surveyed.duration_seconds, 1e-3)
            on_progress(SURVEY_SHARE + (STRETCH_SHARE - SURVEY_SHARE) * min(1.0, done))
    if not glimpses:
        raise DecodeFailed("No picture of the file can be decoded.")
    measured = _measurements(surveyed, hearing, glimpses)
    films = [glimpse.film for glimpse in glimpses if glimpse.film is not None]
    if films:
        measured = with_road_users(measured, film=FilmRoll.joined(films), detector=detector)
    return with_telemetry(measured, recorded, film=surveyed.film)


def survey_file(
    path: Path, *, demuxer: str, limits: DecodeLimits, on_progress: Callable[[float], None] | None = None
) -> Survey:
    """The first pass, its progress counted as its share of the whole."""

    def report(share: float) -> None:
        if on_progress is not None:
            on_progress(SURVEY_SHARE * share)

    return survey(path, demuxer=demuxer, limits=limits, on_progress=report)


def _glimpses(path: Path, surveyed: Survey, plan: list[Stretch], limits: DecodeLimits) -> Iterator[Glimpse]:
    reader = StretchReader(path, surveyed, plan, limits)
    with closing(ahead(reader.pictures())) as coming:
        for number, placed in groupby(coming, key=lambda item: item.stretch):
            glimpse = glimpse_of(plan[number], (item.picture for item in placed), surveyed)
            if glimpse is not None:
                yield glimpse


def _measurements(surveyed: Survey, hearing: Hearing, glimpses: list[Glimpse]) -> Measurements:
    blocking = _blocking_flag(glimpses)
    flags = _flags(surveyed, glimpses, blocking)
    found = _found(surveyed, hearing, glimpses) if blocking is None else []
    findings = [finding for _, finding in found]
    if blocking is None:
        findings += _quiet(glimpses, [event for event, _ in found])
    findings += _flag_findings(surveyed, glimpses, flags)
    findings += damage_findings(surveyed.counts, film=surveyed.film)
    findings += missing_end(surveyed.counts, surveyed.promised_seconds, film=surveyed.film)
    strongest = max(glimpses, key=lambda glimpse: glimpse.impact_value)
    return Measurements(
        facts=_facts(surveyed, glimpses),
        signals=_signals(surveyed, hearing, glimpses),
        findings=tuple(sorted(findings, key=lambda finding: (finding.start_seconds, finding.kind))),
        hazards=tuple(hazard_of(event) for event, _ in found),
        integrity=tuple(flags),
        # The model knows clips of this length: it judges the stretch that speaks most for a blow.
        features=strongest.features,
        not_assessable_reason=blocking.code if blocking is not None else None,
        degraded=_degraded(surveyed, hearing),
        keyframes=_keyframes(surveyed, glimpses),
    )


def _found(surveyed: Survey, hearing: Hearing, glimpses: list[Glimpse]) -> list[tuple[Event, Finding]]:
    """The events of the stretches, and what was heard where no picture was looked at; the strongest, in time."""
    everything = [pair for glimpse in glimpses for pair in zip(glimpse.events, glimpse.event_findings, strict=True)]
    own = min((e.start_seconds for e, _ in everything if e.hazard is HazardKind.IMPACT), default=math.inf)
    # After a crash of our own everybody around brakes, swerves and stops.
    found = [pair for pair in everything if pair[0].kind != "others_collide" or pair[0].end_seconds <= own]
    for event in hearing.events:
        inside = any(g.stretch.start_seconds <= event.start_seconds <= g.stretch.end_seconds for g in glimpses)
        if not inside:
            found.append((event, finding_of(event, evidence_jpeg(event, film=surveyed.film, record=None))))
    kept = sorted(found, key=lambda pair: -pair[0].score)[:MAX_FINDINGS]
    return sorted(kept, key=lambda pair: (pair[0].start_seconds, pair[0].kind))


def _quiet(glimpses: list[Glimpse], events: list[Event]) -> list[Finding]:
    """The strongest moment of each kind of which no event tells."""
    best: dict[str, tuple[Event, Finding]] = {}
    for event, finding in (pair for glimpse in glimpses for pair in glimpse.quiet):
        if event.kind not in best or event.value > best[event.kind][0].value:
            best[event.kind] = (event, finding)
    kept = untold([event for event, _ in best.values()], events)
    return [finding for event, finding in best.values() if event in kept]


def _blocking_flag(glimpses: list[Glimpse]) -> IntegrityFlag | None:
    """The flag that makes the whole clip impossible to judge, with the share of what was seen that carries it."""
    whole = sum(glimpse.stretch.seconds for glimpse in glimpses)
    for code, least in BLOCKING:
        carried = sum(glimpse.stretch.seconds for glimpse in glimpses if glimpse.has(code)) / whole
        if carried >= least and not (code is IntegrityCode.NOT_DASHCAM and any(g.drives for g in glimpses)):
            detail = next(flag.detail for g in glimpses for flag in g.flags if flag.code is code)
            return IntegrityFlag(code, detail, round(carried, 3), least)
    return None


def _flags(surveyed: Survey, glimpses: list[Glimpse], blocking: IntegrityFlag | None) -> list[IntegrityFlag]:
    clip_wide = {code for code, _ in BLOCKING} | {TOLD_BY_PACKETS}
    flags = [flag for glimpse in glimpses for flag in glimpse.flags if flag.code not in clip_wide][:MOST_FLAGS]
    return [*flags, *_gaps(surveyed), *([blocking] if blocking is not None else [])]


def _gaps(surveyed: Survey) -> list[IntegrityFlag]:
    """Time that passes between two pictures of the whole clip, and clocks that were set back."""
    steps = np.array(surveyed.counts.steps)
    threshold = max(GAP_STEPS * surveyed.usual_step, GAP_SECONDS)
    after = np.cumsum(steps)
    flags = [
        IntegrityFlag(
            IntegrityCode.TIMESTAMP_GAP,
            "Time passes between two pictures that the recording does not show.",
            round(float(steps[index]), 3),
            round(threshold, 3),
            round(float(after[index] - steps[index]), 3),
            round(float(after[index]), 3),
        )
        for index in np.flatnonzero(steps > threshold)[:MOST_FLAGS]
    ]
    if surveyed.counts.clock_breaks:
        detail = "The clock of the recording runs backwards or leaps."
        breaks = float(surveyed.counts.clock_breaks)
        flags.append(IntegrityFlag(IntegrityCode.TIMESTAMP_GAP, detail, breaks, 1.0))
    return flags


def _flag_findings(surveyed: Survey, glimpses: list[Glimpse], flags: list[IntegrityFlag]) -> list[Finding]:
    """One item per flag: with the pictures of its stretch, or of the survey where the whole clip carries it."""
    drawn = {flag: finding for g in glimpses for flag, finding in zip(g.flags, g.flag_findings, strict=True)}
    return [drawn[flag] if flag in drawn else flag_finding(flag, film=surveyed.film) for flag in flags]


def _facts(surveyed: Survey, glimpses: list[Glimpse]) -> VideoFacts:
    steps = np.array(surveyed.counts.steps)
    return VideoFacts(
        container=surveyed.container,
        codec=surveyed.codec,
        width_px=surveyed.width_px,
        height_px=surveyed.height_px,
        duration_seconds=round(surveyed.duration_seconds + surveyed.usual_step, 3),
        frames_decoded=surveyed.counts.frames_decoded,
        mean_fps=round(1.0 / float(steps.mean()), 3) if steps.size and steps.mean() > 0 else 0.0,
        variable_frame_rate=is_variable(steps),
        has_audio=surveyed.has_audio_stream,
        decode_errors=surveyed.counts.decode_errors,
        perceptual_hashes=_hashes(surveyed, glimpses),
    )


def _hashes(surveyed: Survey, glimpses: list[Glimpse]) -> tuple[str, ...]:
    """Hashes of pictures at moments that the duration alone fixes, so that a re-encoded copy hashes alike."""
    seconds = np.concatenate([glimpse.thumb_seconds for glimpse in glimpses])
    thumbs = np.concatenate([glimpse.thumbs for glimpse in glimpses])
    wanted = even_pictures(surveyed.duration_seconds, HASHED_PICTURES)
    return tuple(difference_hash(thumbs[int(np.argmin(np.abs(seconds - at)))]) for at in wanted)


def _signals(surveyed: Survey, hearing: Hearing, glimpses: list[Glimpse]) -> tuple[Signal, ...]:
    """The time series of the whole clip; those of the pictures are 0 where they were not decoded."""
    duration = surveyed.duration_seconds
    gap = 2.5 * max(duration / 1999, 1 / 30)
    rows: list[tuple[str, str, Array, Array, float | None]] = []
    for name, (unit, threshold) in SERIES_UNITS.items():
        seconds, values = _joined([glimpse.series[name] for glimpse in glimpses], gap)
        rows.append((name, unit, seconds, values, threshold))
    seen = [(g.thumb_seconds, np.full(g.pictures, g.pictures / max(g.stretch.seconds, 1e-3))) for g in glimpses]
    rows.append(("pictures_per_second", "1/s", *_joined(seen, gap), None))
    rows.append(("packet_size_z", "z", *packet_unrest(surveyed), SIZE_Z))
    if hearing.audible:
        rows.append(("audio_rms_z", "z", hearing.seconds, hearing.rms_z, None))
        rows.append(("audio_flux_z", "z", hearing.seconds, hearing.flux_z, None))
    return tuple(
        signal_from(name, unit, at, values, duration_seconds=duration, threshold=threshold)
        for name, unit, at, values, threshold in rows
    )


def _joined(parts: list[tuple[Array, Array]], gap: float) -> tuple[Array, Array]:
    """Series one after the other, each ended by a zero so that its last value is not drawn on."""
    seconds = [np.append(at, at[-1] + gap) for at, _ in parts]
    values = [np.append(value, 0.0) for _, value in parts]
    return np.concatenate(seconds), np.concatenate(values)


def _degraded(surveyed: Survey, hearing: Hearing) -> tuple[str, ...]:
    missing = [NO_DETECTOR, UNSAMPLED]
    if not hearing.audible:
        missing.append(NO_SOUND)
    if surveyed.counts.decode_errors or ends_early(surveyed.duration_seconds, surveyed.promised_seconds):
        missing.append(TORN)
    return tuple(missing)


def _keyframes(surveyed: Survey, glimpses: list[Glimpse]) -> tuple[Keyframe, ...]:
    """The pictures of the strongest events and an even spread over the clip."""
    eventful = [glimpse for glimpse in glimpses if glimpse.peak is not None]
    eventful.sort(key=lambda glimpse: (-max(event.score for event in glimpse.events), glimpse.stretch.start_seconds))
    peaks = [glimpse.peak for glimpse in eventful[:EVENT_KEYFRAMES] if glimpse.peak is not None]
    spread = surveyed.film.spread(KEYFRAMES - len(peaks))
    frames = [*peaks, *(Keyframe(round(kept.seconds, 3), clean_jpeg(kept)) for kept in spread)]
    return tuple(sorted(frames, key=lambda frame: frame.at_seconds))
