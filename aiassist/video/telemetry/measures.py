"""What the recorded sensors say: brakes, blows, the change of speed, and clocks or positions that leap."""

from __future__ import annotations

import numpy as np

from aiassist.types import EvidenceStage, HazardKind, IntegrityCode, IntegrityFlag, Telemetry
from aiassist.video.events import Event, score_from
from aiassist.video.robust import Array, runs
from aiassist.video.telemetry.tracks import Recorded

STANDARD_GRAVITY = 9.80665
KMH_PER_G_SECOND = STANDARD_GRAVITY * 3.6
# Fleet telematics calls 0.45 g harsh; what is shorter than 0.3 s is a kerb.
BRAKE_G, BRAKE_SECONDS = 0.45, 0.3
# Full braking on dry asphalt reaches 1 g; event data recorders wake at 1.5 to 2 g.
IMPACT_G = 1.5
# The pulse of a collision: as long as it stays above this, at most so long on each side of its peak.
PULSE_G, PULSE_SIDE_SECONDS = 0.5, 0.3
JOIN_SECONDS = 0.35
# What a sensor of this kind errs beyond its sampling, as a share.
SENSOR_SHARE = 0.15
# Receivers give speed to 0.5 km/h at best while it changes fast, and a driver may brake between two fixes.
FIX_ERROR_KMH, MOST_FIX_STEP_SECONDS = 3.0, 2.5
CLOCK_LEAP_SECONDS = 5.0
POSITION_LEAP_METRES, POSITION_LEAP_KMH = 300.0, 400.0
OVERHANG_SECONDS = 15.0
EARTH_METRES = 6_371_000.0
MOST_FLAGS = 8


def telemetry_events(recorded: Recorded) -> list[Event]:
    """Brakes and blows by the accelerometer; without one, brakes by the satellites' speed."""
    if recorded.shock_seconds.size:
        return _shock_events(recorded.shock_seconds, recorded.horizontal_g)
    return _slowdowns(*speeds(recorded))


def speeds(recorded: Recorded) -> tuple[Array, Array]:
    """Time and speed (km/h) of the fixes that tell one."""
    known = np.array([fix.speed_kmh is not None for fix in recorded.fixes], bool)
    values = np.array([fix.speed_kmh for fix in recorded.fixes if fix.speed_kmh is not None], np.float64)
    return recorded.fix_seconds[known], values


def _shock_events(seconds: Array, strength: Array) -> list[Event]:
    step = float(np.median(np.diff(seconds))) if seconds.size > 1 else 0.1
    events = []
    for first, last in runs(strength >= BRAKE_G, join=max(0, round(JOIN_SECONDS / max(step, 1e-3)) - 1)):
        peak = first + int(np.argmax(strength[first : last + 1]))
        start, end = float(seconds[first]), float(seconds[last])
        if strength[peak] >= IMPACT_G:
            onset = float(seconds[first + int(np.argmax(strength[first : last + 1] >= IMPACT_G))])
            events.append(
                _event(HazardKind.IMPACT, "impact", "peak_g", strength[peak], IMPACT_G, onset, end, seconds[peak])
            )
            end = onset
        held = strength[(seconds >= start) & (seconds <= end)]
        if end - start >= BRAKE_SECONDS - step / 2:
            value = min(float(np.median(held)), IMPACT_G)
            events.append(
                _event(HazardKind.HARD_BRAKE, "hard_brake", "median_g", value, BRAKE_G, start, end, (start + end) / 2)
            )
    return [event for event in events if event.value >= event.threshold]


def _slowdowns(seconds: Array, kmh: Array) -> list[Event]:
    """Neighbouring fixes between which the speed falls as fast as hard braking does."""
    if seconds.size < 2:
        return []
    steps = np.maximum(np.diff(seconds), 1e-3)
    loss = -np.diff(kmh) / steps / KMH_PER_G_SECOND
    loss[steps > MOST_FIX_STEP_SECONDS] = 0.0
    events = []
    for first, last in runs(loss >= BRAKE_G):
        value, peak = float(loss[first : last + 1].max()), first + int(np.argmax(loss[first : last + 1]))
        middle = float(seconds[peak] + seconds[peak + 1]) / 2
        start, end = float(seconds[first]), float(seconds[last + 1])
        events.append(_event(HazardKind.HARD_BRAKE, "hard_brake", "speed_loss_g", value, BRAKE_G, start, end, middle))
    return events


def _event(
    hazard: HazardKind, kind: str, measure: str, value: float, threshold: float, start: float, end: float, peak: float
) -> Event:
    stage, size = EvidenceStage.TELEMETRY, float(value)
    score = score_from(size, threshold)
    return Event(hazard, stage, kind, measure, size, threshold, start, max(end, start), float(peak), score)


def telemetry_of(recorded: Recorded, events: list[Event]) -> Telemetry:
    """The facts, with the change of speed at the hardest blow where there is one."""
    _, kmh = speeds(recorded)
    blow = max((e for e in events if e.hazard is HazardKind.IMPACT), key=lambda e: e.value, default=None)
    change, error = _delta_v(recorded, blow) if blow is not None else (None, None)
    peak = float(recorded.horizontal_g.max()) if recorded.shock_seconds.size else None
    return Telemetry(
        fixes=len(recorded.fixes),
        acceleration_samples=int(recorded.shock_seconds.size),
        largest_speed_kmh=round(float(kmh.max()), 1) if kmh.size else None,
        peak_acceleration_g=round(peak, 3) if peak is not None else None,
        delta_v_kmh=round(change, 1) if change is not None else None,
        delta_v_error_kmh=round(error, 1) if error is not None else None,
        delta_v_seconds=round(blow.start_seconds, 3) if blow is not None else None,
        recorded_unix_seconds=_recorded_at(recorded),
    )


def _recorded_at(recorded: Recorded) -> float | None:
    """The satellites' time of the first picture."""
    if not recorded.fixes:
        return None
    return round(recorded.fixes[0].unix_seconds - float(recorded.fix_seconds[0]), 3)


def _delta_v(recorded: Recorded, blow: Event) -> tuple[float, float]:
    """Change of speed in the pulse and its error, both in km/h.

    The vector of acceleration is added up over the pulse. Sampled ten times a second a pulse of 0.1 s is met by one
    or two samples: half a sample at the peak is what that may cost. The satellites' speeds before and after bound a
    loss that goes straight on.
    """
    seconds, vectors = recorded.shock_seconds, recorded.shock_g
    strength = recorded.horizontal_g
    peak = int(np.argmin(np.abs(seconds - blow.peak_seconds)))
    first = last = peak
    while first > 0 and strength[first - 1] >= PULSE_G and seconds[peak] - seconds[first - 1] <= PULSE_SIDE_SECONDS:
        first -= 1
    while (
        last + 1 < seconds.size
        and strength[last + 1] >= PULSE_G
        and seconds[last + 1] - seconds[peak] <= PULSE_SIDE_SECONDS
    ):
        last += 1
    step = float(np.median(np.diff(seconds)))
    change = float(np.linalg.norm(vectors[first : last + 1].sum(axis=0))) * step * KMH_PER_G_SECOND
    error = max(SENSOR_SHARE * change, 0.5 * step * float(strength[peak]) * KMH_PER_G_SECOND)
    loss = _satellite_loss(recorded, blow)
    if loss is not None and change > loss + FIX_ERROR_KMH:
        within = max(loss + FIX_ERROR_KMH, change - error)
        return within, max(error, change - within)
    return change, error


def _satellite_loss(recorded: Recorded, blow: Event) -> float | None:
    """Speed before the blow less speed after it (km/h), None without fixes close on both sides."""
    at, kmh = speeds(recorded)
    before = np.flatnonzero((at <= blow.start_seconds) & (at >= blow.start_seconds - MOST_FIX_STEP_SECONDS))
    after = np.flatnonzero((at >= blow.end_seconds) & (at <= blow.end_seconds + MOST_FIX_STEP_SECONDS))
    if not before.size or not after.size:
        return None
    return float(abs(kmh[before[-1]] - kmh[after[0]]))


def telemetry_flags(recorded: Recorded, duration_seconds: float) -> list[IntegrityFlag]:
    """Satellite clocks and positions that leap, and sensors that go on where the pictures have ended."""
    return [*_clock_leaps(recorded), *_position_leaps(recorded), *_overhang(recorded, duration_seconds)]


def _clock_leaps(recorded: Recorded) -> list[IntegrityFlag]:
    clock = np.array([fix.unix_seconds for fix in recorded.fixes])
    if clock.size < 2:
        return []
    leap = np.diff(clock) - np.diff(recorded.fix_seconds)
    detail = "The satellite clock leaps against the clock of the pictures."
    return [
        _flag(IntegrityCode.TIMESTAMP_GAP, detail, abs(float(leap[index])), CLOCK_LEAP_SECONDS, recorded, int(index))
        for index in np.flatnonzero(np.abs(leap) > CLOCK_LEAP_SECONDS)[:MOST_FLAGS]
    ]


def _position_leaps(recorded: Recorded) -> list[IntegrityFlag]:
    metres = _distances(recorded)
    if not metres.size:
        return []
    kmh = metres / np.maximum(np.diff(recorded.fix_seconds), 0.1) * 3.6
    detail = "The position leaps farther than a vehicle can drive in the time."
    leaps = np.flatnonzero((metres > POSITION_LEAP_METRES) & (kmh > POSITION_LEAP_KMH))[:MOST_FLAGS]
    return [
        _flag(IntegrityCode.METADATA_MISMATCH, detail, float(kmh[index]), POSITION_LEAP_KMH, recorded, int(index))
        for index in leaps
    ]


def _distances(recorded: Recorded) -> Array:
    """Metres between neighbouring fixes (haversine)."""
    latitude = np.radians([fix.latitude for fix in recorded.fixes])
    longitude = np.radians([fix.longitude for fix in recorded.fixes])
    up, across = np.diff(latitude), np.diff(longitude)
    half = np.sin(up / 2) ** 2 + np.cos(latitude[1:]) * np.cos(latitude[:-1]) * np.sin(across / 2) ** 2
    return np.asarray(2 * EARTH_METRES * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


def _flag(
    code: IntegrityCode, detail: str, value: float, threshold: float, recorded: Recorded, index: int
) -> IntegrityFlag:
    start, end = float(recorded.fix_seconds[index]), float(recorded.fix_seconds[index + 1])
    return IntegrityFlag(code, detail, round(value, 3), threshold, round(max(start, 0.0), 3), round(max(end, 0.0), 3))


def _overhang(recorded: Recorded, duration_seconds: float) -> list[IntegrityFlag]:
    """Sensors that recorded longer than the camera: pictures were cut off afterwards."""
    ends = [float(times[-1]) for times in (recorded.fix_seconds, recorded.shock_seconds) if times.size]
    extra = max(ends, default=0.0) - duration_seconds
    if extra <= OVERHANG_SECONDS:
        return []
    detail = "The sensors of the file recorded on where its pictures end."
    at = round(duration_seconds, 3)
    return [IntegrityFlag(IntegrityCode.METADATA_MISMATCH, detail, round(extra, 3), OVERHANG_SECONDS, at, at)]
