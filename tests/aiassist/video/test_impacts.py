"""What is a blow: it rings, it stops or pushes, it is heard; a pothole, a slammed door and hard braking are none."""

from __future__ import annotations

from dataclasses import replace

from aiassist.types import HazardKind
from aiassist.video.bursts import Burst
from aiassist.video.impacts import Judged, impact_value, motion_events

BLOW = Burst(
    start_seconds=5.0,
    peak_seconds=5.1,
    end_seconds=5.4,
    shake_z=5.0,
    shake_px=0.6,
    peak_z=20.0,
    peak_px=2.0,
    energy_px2=8.0,
    vertical_share=0.9,
    roll_share=0.05,
    sideways_px=0.3,
    scale_kick_px=1.0,
    first_nod_px=-0.8,
    rocking=0.1,
    speed_before=1.0,
    speed_after=0.0,
)


def value(burst: Burst, bang: float | None = None) -> float:
    return impact_value(burst, bang=bang, speed_known=True)


def judged(at: float, size: float) -> Judged:
    burst = replace(BLOW, start_seconds=at, peak_seconds=at + 0.1, end_seconds=at + 0.2)
    return Judged(burst, 0.0, None, size, HazardKind.IMPACT)


def test_a_ringing_shake_that_stops_the_vehicle_is_a_blow() -> None:
    assert value(BLOW) > 2.0


def test_a_slow_rocking_that_leaves_the_speed_is_no_blow() -> None:
    assert value(replace(BLOW, rocking=0.5, speed_after=0.95)) < 1.0


def test_a_shake_that_rolls_the_body_is_a_hole_under_one_wheel() -> None:
    assert value(replace(BLOW, roll_share=0.5, speed_after=0.95)) < 1.0


def test_braking_to_a_stand_is_no_blow_however_much_speed_it_takes() -> None:
    stop = replace(BLOW, shake_z=3.0, rocking=0.5, scale_kick_px=0.2)
    assert value(stop, bang=0.0) < 1.0 < value(replace(stop, rocking=0.1, scale_kick_px=1.0), bang=0.0)


def test_a_bang_confirms_a_shake_and_replaces_none() -> None:
    touch = replace(BLOW, shake_z=2.0, speed_after=0.8)
    assert value(touch, bang=0.0) < value(touch, bang=1.0)
    assert value(replace(touch, shake_z=0.5), bang=5.0) < 1.0


def test_blows_within_a_second_are_one_event_from_the_first_contact_on() -> None:
    events = motion_events([judged(3.0, 1.2), judged(3.6, 2.5), judged(9.0, 1.5)])
    assert [(event.start_seconds, event.value) for event in events] == [(3.0, 2.5), (9.0, 1.5)]
    assert events[0].peak_seconds == 3.7
