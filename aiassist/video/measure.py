"""Puts all measurements of one file together. Runs in the child.

`Measurements.features` (all finite; a feature that needs an impact candidate is 0 without one):

===============================  =====================================================================================
max_jolt_z, max_jolt_px          the hardest jolt of the clip: robust z, and pixels of 320
max_shake_z, max_shake_px        the hardest shake (jolts over 0.4 s)
usual_jolt_px, usual_shake_px    medians: how rough the ride is
jolt_count                       jolts that stand out
impact_seconds                   onset of the strongest impact candidate, -1 without one
impact_value                     what speaks for a blow (1 and more is reported as IMPACT)
impact_jolt_z, impact_jolt_px    size of that jolt
impact_energy_px2                summed squared jolt of the burst
impact_duration_seconds          from onset to the last picture above the unrest
impact_shake_z, impact_shake_px  how it rings in the 0.4 s after, without the two hardest jolts
impact_vertical_share            share of the energy that is up and down, impact_roll_share: that turns the picture
impact_sideways_px               largest sideways jolt with its sign (positive: picture moves right)
impact_scale_kick_px             largest sudden growth or shrinking, pixels at the picture's edge
impact_speed_before / _after     speed relative to the clip's usual speed, right before and after
impact_speed_change_ratio        (after - before) / larger of both (at least half the usual speed)
impact_bang_strength             bang around the onset in units of its threshold
bang_strength                    loudest bang of the clip
horn_seconds, skid_seconds       how long each is heard
min_time_to_contact_seconds      smallest of the clip (20 = nothing near), and in the 2 s before the candidate:
time_to_contact_before_impact_seconds, growth_before_impact
max_growth_per_second            fastest growth of what is ahead (1/s); growth_before_impact and max_excess_growth are
max_excess_growth                the part beyond what the scenery grows at the same speed
max_speed_loss                   largest loss of relative speed within a second
speed_known                      1 when enough scenery carried the speed proxy (else the speed features are 0)
usual_ground_flow                flow of the road (1/s), grows with metres per second over camera height
moving_share                     share of half-second windows that show the flow of driving
third_party_jump_z               strongest sudden change of motion of something else before a standing camera
has_sound                        1 when a track is audible
mean_luma                        brightness 0–255
usual_flow_failure               median share of fine structure that flow cannot carry over (night and rain: high)
===============================  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from aiassist.types import Finding, IntegrityCode, IntegrityFlag, Keyframe, Measurements
from aiassist.video.analysis import Analysis, analyse
from aiassist.video.container import claimed_duration_seconds, opened, video_stream
from aiassist.video.damage import damage_findings, missing_end
from aiassist.video.detection import Detector
from aiassist.video.events import Event, finding_of, hazard_of
from aiassist.video.facts import degraded_of, facts_of, signals_of
from aiassist.video.features import features_of
from aiassist.video.gather import Gathered, LongerThanClaimed, gather
from aiassist.video.keyframes import clean_jpeg, evidence_jpeg, flag_finding
from aiassist.video.limits import DecodeLimits
from aiassist.video.long_clips import measure_surveyed, survey_file
from aiassist.video.quiet import strongest_moments
from aiassist.video.road_users import with_road_users
from aiassist.video.telemetry.attach import with_telemetry
from aiassist.video.telemetry.tracks import telemetry_in

# A minute is decoded whole in ten seconds; the margin is for headers that round.
WHOLE_CLIP_SECONDS, MOST_WHOLE_SECONDS = 60.5, 61.0
CLEAN_KEYFRAMES = 8
# A minute of traffic gives a handful of findings; a hundred bangs are one noisy microphone.
MAX_FINDINGS = 40

# A clip of which one of these is true cannot be judged, whatever else was measured in it.
BLOCKING = (IntegrityCode.TEST_BARS, IntegrityCode.STATIC_BLACK, IntegrityCode.NOT_DASHCAM)


def measure_file(
    path: Path,
    *,
    demuxer: str,
    limits: DecodeLimits,
    on_progress: Callable[[float], None] | None = None,
    detector: Detector | None = None,
) -> Measurements:
    """Measures a file: whole up to a minute, beyond that in two passes; the same file gives the same values."""
    furthest = 0.0

    def report(share: float) -> None:
        nonlocal furthest
        if on_progress is not None and share > furthest:  # a second way starts anew
            furthest = share
            on_progress(share)

    measurements = _measured(path, demuxer, limits, report, detector)
    report(1.0)
    return measurements


def _measured(
    path: Path,
    demuxer: str,
    limits: DecodeLimits,
    on_progress: Callable[[float], None],
    detector: Detector | None,
) -> Measurements:
    with opened(path, demuxer=demuxer, limits=limits) as container:
        stream = video_stream(container, limits)
        claimed = claimed_duration_seconds(container, stream, limits)
        recorded = telemetry_in(container, stream, path, demuxer=demuxer)
    gathered = None
    if claimed <= WHOLE_CLIP_SECONDS:
        with suppress(LongerThanClaimed):
            gathered = gather(
                path, demuxer=demuxer, limits=limits, on_progress=on_progress, most_seconds=MOST_WHOLE_SECONDS
            )
    if gathered is None:
        surveyed = survey_file(path, demuxer=demuxer, limits=limits, on_progress=on_progress)
        if surveyed.duration_seconds > MOST_WHOLE_SECONDS:
            return measure_surveyed(path, surveyed, recorded, limits=limits, on_progress=on_progress, detector=detector)
        # The header claimed more than there is.
        gathered = gather(path, demuxer=demuxer, limits=limits, on_progress=on_progress)
    measured = with_road_users(measurements_of(gathered), film=gathered.film, detector=detector)
    return with_telemetry(measured, recorded, film=gathered.film)


def measurements_of(gathered: Gathered) -> Measurements:
    """Measures what one decode gathered."""
    analysis = analyse(gathered)
    reason = _blocking_reason(analysis.flags)
    # What moves in a test card or under a CCTV camera is no hazard to the insured vehicle.
    events = _strongest(analysis.events) if reason is None else []
    return Measurements(
        facts=facts_of(gathered),
        signals=signals_of(gathered, analysis),
        findings=_findings(gathered, analysis, [*events, *_quiet(analysis, reason)]),
        hazards=tuple(hazard_of(event) for event in events),
        integrity=tuple(analysis.flags),
        features=features_of(gathered, analysis),
        not_assessable_reason=reason,
        degraded=degraded_of(gathered, analysis),
        keyframes=tuple(
            Keyframe(round(kept.seconds, 3), clean_jpeg(kept)) for kept in gathered.film.spread(CLEAN_KEYFRAMES)
        ),
    )


def _quiet(analysis: Analysis, reason: IntegrityCode | None) -> list[Event]:
    if reason is not None:
        return []
    return strongest_moments(analysis, analysis.events)


def _strongest(events: list[Event]) -> list[Event]:
    """The events in order of time, only the strongest where there are too many to show."""
    kept = sorted(events, key=lambda event: -event.score)[:MAX_FINDINGS]
    return sorted(kept, key=lambda event: (event.start_seconds, event.kind))


def _findings(gathered: Gathered, analysis: Analysis, events: list[Event]) -> tuple[Finding, ...]:
    """One finding per event with its annotated picture, and one per integrity flag that has a time."""
    found = [finding_of(event, evidence_jpeg(event, film=gathered.film, record=gathered.record)) for event in events]
    found += [flag_finding(flag, film=gathered.film) for flag in analysis.flags]
    found += damage_findings(gathered.counts, film=gathered.film)
    found += missing_end(gathered.counts, gathered.promised_seconds, film=gathered.film)
    return tuple(sorted(found, key=lambda finding: (finding.start_seconds, finding.kind)))


def _blocking_reason(flags: list[IntegrityFlag]) -> IntegrityCode | None:
    codes = {flag.code for flag in flags}
    return next((code for code in BLOCKING if code in codes), None)
