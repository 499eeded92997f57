"""Joins what the sensors say with what was seen and heard."""

from __future__ import annotations

from dataclasses import replace

from aiassist.types import Hazard, Measurements, Signal
from aiassist.video.events import Event, finding_of, hazard_of
from aiassist.video.film import FilmRoll
from aiassist.video.keyframes import evidence_jpeg, flag_finding
from aiassist.video.robust import Array
from aiassist.video.signals import signal_from
from aiassist.video.telemetry.measures import BRAKE_G, speeds, telemetry_events, telemetry_flags, telemetry_of
from aiassist.video.telemetry.tracks import Recorded

# A blow that camera and sensor both noticed within this time is one hazard, and two items of evidence for it.
SAME_EVENT_SECONDS = 1.0


def with_telemetry(measurements: Measurements, recorded: Recorded, *, film: FilmRoll) -> Measurements:
    """The measurements and what the sensors add; the same measurements when the file carries no sensors."""
    if recorded.is_empty:
        return measurements
    duration = measurements.facts.duration_seconds
    events = [event for event in telemetry_events(recorded) if 0 <= event.start_seconds <= duration]
    flags = telemetry_flags(recorded, duration)
    told = events if measurements.not_assessable_reason is None else []
    findings = [
        *measurements.findings,
        *(finding_of(event, evidence_jpeg(event, film=film, record=None)) for event in told),
        *(flag_finding(flag, film=film) for flag in flags),
    ]
    hazards = [*measurements.hazards, *(hazard_of(event) for event in told if _is_new(event, measurements.hazards))]
    return replace(
        measurements,
        signals=(*measurements.signals, *_signals(recorded, duration)),
        findings=tuple(sorted(findings, key=lambda finding: (finding.start_seconds, finding.kind))),
        hazards=tuple(sorted(hazards, key=lambda hazard: (hazard.start_seconds, hazard.kind))),
        integrity=(*measurements.integrity, *flags),
        telemetry=telemetry_of(recorded, events),
    )


def _is_new(event: Event, hazards: tuple[Hazard, ...]) -> bool:
    return not any(
        hazard.kind is event.hazard
        and hazard.start_seconds - SAME_EVENT_SECONDS <= event.start_seconds <= hazard.end_seconds + SAME_EVENT_SECONDS
        for hazard in hazards
    )


def _signals(recorded: Recorded, duration: float) -> tuple[Signal, ...]:
    at, kmh = speeds(recorded)
    rows: tuple[tuple[str, str, Array, Array, float | None], ...] = (
        ("speed_kmh", "km/h", at, kmh, None),
        ("acceleration_g", "g", recorded.shock_seconds, recorded.horizontal_g, BRAKE_G),
    )
    return tuple(
        signal_from(name, unit, seconds[inside], values[inside], duration_seconds=duration, threshold=threshold)
        for name, unit, seconds, values, threshold in rows
        if (inside := (seconds >= 0) & (seconds <= duration)).any()
    )
