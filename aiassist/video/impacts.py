"""Which jolts are blows against the insured vehicle, which are potholes, and which are nothing to report."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aiassist.types import EvidenceStage, HazardKind
from aiassist.video.audio import Sound
from aiassist.video.bursts import Burst
from aiassist.video.events import Event, score_from
from aiassist.video.heard import bang_strength, high_rise
from aiassist.video.robust import Array

# A blow is heard within this time around the onset: sound and picture may be a few frames apart in a container.
BANG_EARLY_SECONDS, BANG_LATE_SECONDS = 0.25, 0.4
IMPACT_THRESHOLD = 1.0
# A ringing shake alone makes an impact at this z: on rendered and real drives without a blow it reached 4.5 (a night
# motorway), on blows of 10 km/h and more 6 to 80, at night down to 2.5.
SHAKE_UNIT_Z, SHAKE_MOST = 2.8, 5.0
# A blow against the body rings the camera's mount (5-9 Hz), a wheel in a hole or the end of braking rocks the body
# (1-2 Hz). Rocking measured on rendered clips: blows 0.01-0.35, potholes and slammed doors 0.35-0.5, brakes 0.33-0.65.
RINGING_ROCKING, ROCKING_ROCKING, ROCKING_FACTOR = 0.25, 0.45, 0.4
# What lifts one wheel or slams one door also rolls the body: share of the jolt's energy 0.3-0.6, under blows below 0.1.
STRAIGHT_ROLL, ROLLING_ROLL, ROLLING_FACTOR = 0.12, 0.30, 0.4
# A change of speed beyond what braking does in the same second, and a bang, each carry half of the proof.
SPEED_FREE, SPEED_SHARE = 0.45, 0.5
# Braking to a stand loses as much speed, but the growth of the picture does not jump: 0.2-0.4 px, with a blow from 0.5.
NO_KICK_PX = (0.25, 0.5)
BANG_SHARE = 0.5
# The high bands rise by a decade when metal is struck, by half a decade at most from a thump.
HISS_UNIT = 0.8
# A shake that nobody hears, or that leaves the speed of a moving vehicle as it was, is more likely a pothole.
UNHEARD_FACTOR, UNSLOWED_FACTOR = 0.75, 0.75
STANDING_SPEED = 0.25
POTHOLE_SHAKE_Z = 2.5
# A car that is struck is thrown, rebounds and strikes again: one crash to everybody who sits in it.
ONE_EVENT_SECONDS = 1.0
POTHOLE_SPEED_CHANGE = 0.3


@dataclass(frozen=True)
class Judged:
    """A jolt with what was heard at the time, and how far the two speak for a blow."""

    burst: Burst
    bang: float
    bang_seconds: float | None
    impact_value: float
    kind: HazardKind | None

    @property
    def onset_seconds(self) -> float:
        """First contact: the beginning of the bang (median error 0.01 s) or, unheard, of the jolt (0.02 s late)."""
        return self.bang_seconds if self.bang_seconds is not None else self.burst.start_seconds


def judge_bursts(bursts: list[Burst], sound: Sound | None, *, speed_known: bool) -> list[Judged]:
    """Judges every jolt."""
    if sound is None:
        values = [impact_value(burst, bang=None, speed_known=speed_known) for burst in bursts]
        return [
            Judged(burst, 0.0, None, value, _kind(burst, value)) for burst, value in zip(bursts, values, strict=True)
        ]
    strength, hiss = bang_strength(sound), high_rise(sound) / HISS_UNIT
    judged = []
    for burst in bursts:
        bang, at = _bang_near(burst, sound, strength)
        struck, _ = _bang_near(burst, sound, hiss)
        value = impact_value(burst, bang=struck, speed_known=speed_known)
        judged.append(Judged(burst, bang, at, value, _kind(burst, value)))
    return judged


def _bang_near(burst: Burst, sound: Sound, strength: Array) -> tuple[float, float | None]:
    """The strongest bang around a jolt and when it began; (0, None) without one."""
    near = (sound.seconds >= burst.start_seconds - BANG_EARLY_SECONDS) & (
        sound.seconds <= burst.peak_seconds + BANG_LATE_SECONDS
    )
    if not near.any():
        return 0.0, None
    peak = int(np.argmax(np.where(near, strength, -1.0)))
    first = peak
    while first > 0 and strength[first - 1] >= 1.0:
        first -= 1
    return float(strength[peak]), (float(sound.seconds[first]) if strength[peak] >= 1.0 else None)


def impact_value(burst: Burst, *, bang: float | None, speed_known: bool) -> float:
    """Sum of the shake, the sudden change of speed and the bang (None: no sound), each in its own unit; 1 is a blow."""
    shake = min(burst.shake_z / SHAKE_UNIT_Z, SHAKE_MOST)
    shake *= _lowered(burst.rocking, RINGING_ROCKING, ROCKING_ROCKING, ROCKING_FACTOR)
    shake *= _lowered(burst.roll_share, STRAIGHT_ROLL, ROLLING_ROLL, ROLLING_FACTOR)
    if bang is not None and bang < 1.0:
        shake *= UNHEARD_FACTOR
    if speed_known and burst.speed_before >= STANDING_SPEED and abs(burst.speed_change) < POTHOLE_SPEED_CHANGE:
        shake *= UNSLOWED_FACTOR
    change = max(abs(burst.speed_change) - SPEED_FREE, 0.0) / (1.0 - SPEED_FREE)
    change *= 1.0 - _lowered(burst.scale_kick_px, *NO_KICK_PX, 0.0)
    # Sound and speed confirm a shake, they do not replace it.
    return shake + min(shake, SPEED_SHARE * min(change, 1.0)) + min(shake, BANG_SHARE * min(bang or 0.0, 1.0))


def _lowered(value: float, free: float, full: float, factor: float) -> float:
    """1 up to `free`, `factor` from `full` on, straight in between."""
    return 1.0 - (1.0 - factor) * min(max((value - free) / (full - free), 0.0), 1.0)


def _kind(burst: Burst, value: float) -> HazardKind | None:
    if value >= IMPACT_THRESHOLD:
        return HazardKind.IMPACT
    if burst.shake_z >= POTHOLE_SHAKE_Z and abs(burst.speed_change) < POTHOLE_SPEED_CHANGE:
        return HazardKind.POTHOLE
    return None


def motion_events(judged: list[Judged]) -> list[Event]:
    """Impacts and potholes as events; blows within a second of each other are one event that begins with the first."""
    events: list[Event] = []
    for event in _single_events(judged):
        before = events[-1] if events else None
        if before is not None and before.hazard is event.hazard is HazardKind.IMPACT and _follows(before, event):
            events[-1] = _joined(before, event)
        elif before is None or event.hazard is HazardKind.IMPACT or not _follows(before, event):
            events.append(event)
    return events


def _follows(before: Event, after: Event) -> bool:
    return after.start_seconds - before.end_seconds < ONE_EVENT_SECONDS


def _joined(first: Event, second: Event) -> Event:
    """One event from the first contact to the last, with the value and the peak of the harder blow."""
    harder = max(first, second, key=lambda event: event.value)
    return replace(harder, start_seconds=first.start_seconds, end_seconds=max(first.end_seconds, second.end_seconds))


def _single_events(judged: list[Judged]) -> list[Event]:
    events = []
    for item in judged:
        burst = item.burst
        if item.kind is HazardKind.IMPACT:
            name, measure, value, threshold = "impact", "impact_value", item.impact_value, IMPACT_THRESHOLD
        elif item.kind is HazardKind.POTHOLE:
            name, measure, value, threshold = "pothole", "shake_z", burst.shake_z, POTHOLE_SHAKE_Z
        else:
            continue
        events.append(
            Event(
                hazard=item.kind,
                stage=EvidenceStage.MOTION,
                kind=name,
                measure=measure,
                value=value,
                threshold=threshold,
                start_seconds=item.onset_seconds,
                end_seconds=max(burst.end_seconds, item.onset_seconds + 0.1),
                peak_seconds=burst.peak_seconds,
                score=score_from(value, threshold),
            )
        )
    return events
