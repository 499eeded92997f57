"""Measured facts as plain JSON: what a vision model is told, and what the rules provider repeats."""

from __future__ import annotations

from aiassist.gateway.types import JsonObject
from aiassist.types import Hazard, IntegrityFlag, Measurements

MAX_EVENTS = 40  # the answer schema's bound; more events than that in one clip are noise of one cause


def measured_facts(measurements: Measurements) -> JsonObject:
    """Return events, signs of editing and the file's facts; no names, no free text, nothing a person wrote."""
    facts = measurements.facts
    strongest = sorted(measurements.hazards, key=lambda hazard: (-hazard.score, hazard.start_seconds))[:MAX_EVENTS]
    return {
        "duration_seconds": facts.duration_seconds,
        "frames_per_second": facts.mean_fps,
        "has_audio": facts.has_audio,
        "events": [_event(hazard) for hazard in sorted(strongest, key=lambda hazard: hazard.start_seconds)],
        "integrity": [_flag(flag) for flag in measurements.integrity[:MAX_EVENTS]],
        "not_measured": list(measurements.degraded),
    }


def _event(hazard: Hazard) -> dict[str, object]:
    return {
        "kind": hazard.kind.value,
        "start_seconds": hazard.start_seconds,
        "end_seconds": hazard.end_seconds,
        "score": hazard.score,
        "source": hazard.source,
    }


def _flag(flag: IntegrityFlag) -> dict[str, object]:
    return {"code": flag.code.value, "start_seconds": flag.start_seconds, "end_seconds": flag.end_seconds}
