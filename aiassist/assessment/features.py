"""What the severity model reads: the named scalars of the measurement plus what follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from aiassist.types import Hazard, HazardKind, Measurements

# When in the clip something happened, how bright it was and whether there is sound say nothing about harm; in rendered
# clips they would give the answer away. The sign of a sideways jolt only says left or right: its size is read instead.
UNREAD = frozenset({"impact_seconds", "third_party_seconds", "mean_luma", "has_sound", "impact_sideways_px"})


def severity_features(measurements: Measurements) -> dict[str, float]:
    """Return finite features by name; a value that was not measured is absent, never zero."""
    measured = {name: value for name, value in measurements.features.items() if math.isfinite(value)}
    found = {name: value for name, value in measured.items() if name not in UNREAD}
    for kind in (HazardKind.IMPACT, HazardKind.IMPACT_THIRD_PARTY, HazardKind.NEAR_MISS, HazardKind.POTHOLE):
        found[f"hazard_{kind.value.lower()}_score"] = _strongest(kind, measurements.hazards)
    return found | _derived(measured)


def monitored_features(measurements: Measurements) -> dict[str, float]:
    """Return what monitoring keeps of a video: what severity was read from, and how bright it was."""
    luma = {name: value for name, value in measurements.features.items() if name == "mean_luma"}
    return severity_features(measurements) | {name: value for name, value in luma.items() if math.isfinite(value)}


def scenario_features(measurements: Measurements) -> dict[str, float]:
    """Return what the scenario model reads: the features of severity, and what else was seen and heard."""
    found = severity_features(measurements)
    for kind in (HazardKind.HARD_BRAKE, HazardKind.SKID, HazardKind.HORN, HazardKind.AUDIO_BANG):
        found[f"hazard_{kind.value.lower()}_score"] = _strongest(kind, measurements.hazards)
    return found


def _derived(measured: Mapping[str, float]) -> dict[str, float]:
    """Return the size of the sideways jolt, and the change of speed in the unit of the road's flow.

    The latter is delta-v over camera height, as far as the flow of the road shows it: the nearest thing to what
    severity is defined by.
    """
    derived = {}
    if "impact_sideways_px" in measured:
        derived["impact_sideways_size_px"] = abs(measured["impact_sideways_px"])
    speeds = [measured.get(name) for name in ("impact_speed_before", "impact_speed_after", "usual_ground_flow")]
    before, after, flow = speeds
    if before is not None and after is not None and flow is not None:
        derived["impact_speed_step"] = (after - before) * flow
    return derived


def _strongest(kind: HazardKind, hazards: Iterable[Hazard]) -> float:
    return max((hazard.score for hazard in hazards if hazard.kind is kind), default=0.0)
