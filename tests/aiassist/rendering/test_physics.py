"""The truth of a drive agrees with its physics: speeds, gaps, momentum and times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aiassist.rendering.camera import camera_path
from aiassist.rendering.drive import Drive, path_gap
from aiassist.rendering.film import simulate, truth_of
from aiassist.rendering.kinematics import PULSE_SECONDS, value_at
from aiassist.rendering.scenario import ClipKind, ClipSpec, Surroundings
from aiassist.rendering.stories.following import restitution
from aiassist.types import Scenario, Severity

STRUCK_AHEAD = [(seed, delta_v) for seed, delta_v in enumerate((2.5, 6.0, 12.0, 20.0, 30.0, 45.0, 60.0))]


def drive_of(kind: ClipKind, seed: int, delta_v_kmh: float | None = None, **changes: object) -> tuple[ClipSpec, Drive]:
    spec = replace(
        ClipSpec(kind, seed, delta_v_kmh=delta_v_kmh, event_seconds=5.0, duration_seconds=9.0),
        **changes,  # type: ignore[arg-type]  # field names are checked at run time
    )
    return spec, simulate(spec)


def speed_change_kmh(drive: Drive, at: float) -> float:
    """What the impact did to the own speed, read from the motion itself."""
    before, after = (value_at(drive.times, drive.speed, when) for when in (at, at + PULSE_SECONDS))
    return (after - before) * 3.6


@pytest.mark.parametrize(("seed", "delta_v_kmh"), STRUCK_AHEAD)
def test_rear_end_touches_at_the_wanted_time_with_the_wanted_delta_v(seed: int, delta_v_kmh: float) -> None:
    spec, drive = drive_of(ClipKind.REAR_END, seed, delta_v_kmh)
    gap = path_gap(drive, drive.actors[0])
    earlier = drive.times < 4.99
    assert np.nanmin(gap[earlier]) > 0.0
    assert value_at(drive.times, gap, 5.0) == pytest.approx(0.0, abs=0.02)
    assert speed_change_kmh(drive, 5.0) == pytest.approx(-delta_v_kmh, abs=0.05)
    truth = truth_of(spec)
    assert truth.delta_v_kmh == pytest.approx(delta_v_kmh)
    assert (truth.impact_seconds, truth.closest_distance_m) == (5.0, 0.0)
    assert truth.scenario is Scenario.REAR_END


@pytest.mark.parametrize(("seed", "delta_v_kmh"), STRUCK_AHEAD)
def test_rear_end_conserves_momentum(seed: int, delta_v_kmh: float) -> None:
    _, drive = drive_of(ClipKind.REAR_END, seed, delta_v_kmh)
    other = drive.actors[0]
    speed = np.gradient(other.along, drive.times)
    before, after = (value_at(drive.times, speed, when) for when in (4.97, 5.0 + PULSE_SECONDS + 0.005))
    gained = (after - before) * other.size.mass_ratio * 3.6
    assert gained == pytest.approx(delta_v_kmh, rel=0.12, abs=2.5)  # the other's own braking goes on meanwhile
    closing = value_at(drive.times, drive.speed, 5.0) - before
    bounce = (after - value_at(drive.times, drive.speed, 5.0 + PULSE_SECONDS)) / closing
    assert bounce == pytest.approx(restitution(delta_v_kmh), abs=0.12)


@pytest.mark.parametrize("seed", range(8))
def test_rear_end_does_not_strike_twice(seed: int) -> None:
    _, drive = drive_of(ClipKind.REAR_END, seed)
    gap = path_gap(drive, drive.actors[0])
    after = drive.times > 5.0 + PULSE_SECONDS
    assert (np.diff(gap[after]) > -1e-6).all()


@pytest.mark.parametrize("seed", range(8))
def test_near_miss_stops_short(seed: int) -> None:
    spec, drive = drive_of(ClipKind.NEAR_MISS, seed)
    truth = truth_of(spec)
    gap = path_gap(drive, drive.actors[0])
    assert truth.closest_distance_m == pytest.approx(float(np.nanmin(gap)), abs=0.01)
    assert 0.3 < (truth.closest_distance_m or 0.0) < 3.0
    assert truth.minimum_time_to_contact_seconds is not None
    assert 0.2 < truth.minimum_time_to_contact_seconds < 2.0
    assert truth.hard_brake_seconds
    assert (truth.impact_seconds, truth.severity, truth.delta_v_kmh) == (None, Severity.NONE, 0.0)


@pytest.mark.parametrize("seed", range(8))
def test_rear_ended_is_pushed_forward_and_touches_nothing_ahead(seed: int) -> None:
    spec, drive = drive_of(ClipKind.REAR_ENDED, seed, 18.0)
    assert speed_change_kmh(drive, 5.0) == pytest.approx(18.0, abs=0.05)
    truth = truth_of(spec)
    assert (truth.closest_distance_m or 0.0) > 0.5
    assert (truth.scenario, truth.severity) == (Scenario.REAR_ENDED, Severity.MEDIUM)


@pytest.mark.parametrize("seed", range(6))
def test_side_impact_pushes_sideways_by_the_wanted_delta_v(seed: int) -> None:
    spec, drive = drive_of(ClipKind.SIDE_IMPACT, seed, 22.0)
    assert truth_of(spec).delta_v_kmh == pytest.approx(22.0)
    blow = drive.impulses[0]
    before, after = (value_at(drive.times, drive.across, when) for when in (5.0, 6.0))
    assert np.sign(after - before) == np.sign(blow.sideways)
    striking = drive.actors[0]
    side = -np.sign(blow.sideways)
    edge = value_at(drive.times, striking.across, 5.0) - side * striking.size.length / 2
    assert edge == pytest.approx(value_at(drive.times, drive.across, 5.0) + side * 0.9, abs=0.15)


@pytest.mark.parametrize("seed", range(6))
def test_third_party_crash_leaves_us_untouched(seed: int) -> None:
    truth = truth_of(drive_of(ClipKind.THIRD_PARTY, seed)[0])
    assert (truth.severity, truth.impact_seconds) == (Severity.NONE, None)
    assert truth.third_party_impact_seconds == 5.0
    assert (truth.closest_distance_m or 0.0) > 1.0


def test_cut_in_touches_only_when_a_delta_v_is_wanted() -> None:
    touched = truth_of(drive_of(ClipKind.CUT_IN, 3, 9.0, surroundings=Surroundings.MOTORWAY)[0])
    missed = truth_of(drive_of(ClipKind.CUT_IN, 3, surroundings=Surroundings.MOTORWAY)[0])
    assert (touched.severity, touched.impact_seconds) == (Severity.MEDIUM, 5.0)
    assert (missed.severity, missed.impact_seconds) == (Severity.NONE, None)
    assert (missed.closest_distance_m or 0.0) > 0.5


@pytest.mark.parametrize("kind", [ClipKind.CALM, ClipKind.POTHOLE, ClipKind.PARKED, ClipKind.HORN_ONLY])
def test_quiet_clips_have_no_impact_and_no_harsh_braking(kind: ClipKind) -> None:
    for seed, place in enumerate(Surroundings):
        truth = truth_of(drive_of(kind, seed, surroundings=place)[0])
        assert (truth.impact_seconds, truth.severity, truth.hard_brake_seconds) == (None, Severity.NONE, ())
        assert (truth.closest_distance_m or 99.0) > 3.0


def test_camera_path_shakes_more_with_delta_v_and_stays_calm_without() -> None:
    def swing(kind: ClipKind, delta_v_kmh: float | None) -> float:
        """The mean over some mounts of how far the camera nods right after the event, in degrees."""
        nods = []
        for seed in range(5):
            spec, drive = drive_of(kind, seed, delta_v_kmh)
            window = (drive.times > 4.98) & (drive.times < 5.5)
            nods.append(float(np.degrees(np.ptp(camera_path(drive, spec).pitch[window]))))
        return float(np.mean(nods))

    assert swing(ClipKind.CALM, None) < 0.2
    assert swing(ClipKind.POTHOLE, None) > 0.5
    assert swing(ClipKind.REAR_ENDED, 50.0) > 1.5 * swing(ClipKind.REAR_ENDED, 6.0) > 0.5


@pytest.mark.parametrize("kind", [ClipKind.REAR_END, ClipKind.NEAR_MISS, ClipKind.POTHOLE, ClipKind.SIDE_IMPACT])
def test_shifting_the_event_shifts_its_times_only(kind: ClipKind) -> None:
    early = truth_of(drive_of(kind, 5, event_seconds=5.0, duration_seconds=12.0)[0])
    late = truth_of(drive_of(kind, 5, event_seconds=8.0, duration_seconds=12.0)[0])
    for first, second in (
        ((early.impact_seconds,), (late.impact_seconds,)),
        (early.hard_brake_seconds, late.hard_brake_seconds),
        (early.jolt_seconds, late.jolt_seconds),
        (early.skid_seconds, late.skid_seconds),
    ):
        assert [at + 3.0 for at in first if at is not None] == pytest.approx([at for at in second if at is not None])
    assert (early.delta_v_kmh, early.severity) == (late.delta_v_kmh, late.severity)
