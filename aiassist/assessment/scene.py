"""Reads from the measurements what the fault rules need: who came towards whom, and what the own vehicle did.

Every cue is None where it was not measured; the rules widen the interval for it instead of guessing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiassist.types import Hazard, HazardKind, Measurements, Signal

# A brake that ends longer than this before the impact was another event.
BRAKE_WINDOW_SECONDS = 3.0
# Speed loss is measured over a second, so what begins later than this before the impact may be the impact itself.
BRAKE_LEAD_SECONDS = 1.0
SKID_LEAD_SECONDS = 0.1
# Half sure where what is ahead grows by 0.3 per second more than the scenery does: measured on rendered training clips
# the vehicle that is struck grows by 0.3 to 4, what crosses or comes from behind leaves 0 to 0.25.
HALF_SURE_GROWTH = 0.3
# An approach is seen from where the time to contact falls under 4 s; longer is ordinary following.
SEEN_GROWTH = 1.0 / 4.0
GROWTH_SIGNAL = "growth_ahead"
# Without a detector a vehicle ahead shows itself only when it is large, so a short approach says nothing.
DETECTOR, TRACKED = "detector_weights", "road_user_ahead"
SHORTEST_TOLD_SECONDS = 1.5


@dataclass(frozen=True)
class Scene:
    """What happened around the main event.

    `closing` is how surely something ahead came closer until the event (0-1). `speed_jump` is the change of the own
    speed at the event as a share of the larger of before and after (negative: slowed), `speed_before` the speed before
    it relative to the clip's usual speed. `sideways` is the share of the
    jolt's energy that went sideways (0-1). `lead_time_seconds` is how long the approach could be seen.
    """

    impact: Hazard | None = None
    third_party: Hazard | None = None
    near_miss: Hazard | None = None
    braked_before: bool = False
    closing: float | None = None
    speed_jump: float | None = None
    speed_before: float | None = None
    sideways: float | None = None
    lead_time_seconds: float | None = None
    missing: tuple[str, ...] = ()


def scene_of(measurements: Measurements) -> Scene:
    """Return the scene of the strongest event."""
    hazards, features = measurements.hazards, measurements.features
    impact = strongest(HazardKind.IMPACT, hazards)
    near_miss = strongest(HazardKind.NEAR_MISS, hazards)
    third_party = strongest(HazardKind.IMPACT_THIRD_PARTY, hazards)
    main = impact or near_miss or third_party
    return Scene(
        impact=impact,
        third_party=third_party,
        near_miss=near_miss,
        braked_before=main is not None and _braked_before(main, hazards),
        closing=_closing(features),
        speed_jump=_speed(features, "impact_speed_change_ratio"),
        speed_before=_speed(features, "impact_speed_before"),
        sideways=_sideways(features),
        lead_time_seconds=_lead_time(main, measurements),
        missing=measurements.degraded,
    )


def strongest(kind: HazardKind, hazards: Iterable[Hazard]) -> Hazard | None:
    """Return the event of that kind with the highest score, the earlier one of two equals."""
    found = [hazard for hazard in hazards if hazard.kind is kind]
    return max(found, key=lambda hazard: (hazard.score, -hazard.start_seconds), default=None)


def _braked_before(event: Hazard, hazards: Iterable[Hazard]) -> bool:
    leads = {HazardKind.HARD_BRAKE: BRAKE_LEAD_SECONDS, HazardKind.SKID: SKID_LEAD_SECONDS}
    return any(
        hazard.kind in leads
        and event.start_seconds - BRAKE_WINDOW_SECONDS <= hazard.end_seconds
        and hazard.start_seconds <= event.start_seconds - leads[hazard.kind]
        for hazard in hazards
    )


def _cue(features: Mapping[str, float], name: str) -> float | None:
    value = features.get(name)
    return value if value is not None and math.isfinite(value) else None


def _speed(features: Mapping[str, float], name: str) -> float | None:
    """Return a feature of the own speed, unless too little scenery carried the flow to tell a speed at all."""
    return None if features.get("speed_known") == 0.0 else _cue(features, name)


def _closing(features: Mapping[str, float]) -> float | None:
    growth = _cue(features, "growth_before_impact")
    if growth is None:
        return None
    ratio = max(growth, 0.0) / HALF_SURE_GROWTH
    return ratio * ratio / (1.0 + ratio * ratio)


def _sideways(features: Mapping[str, float]) -> float | None:
    vertical, roll = _cue(features, "impact_vertical_share"), _cue(features, "impact_roll_share")
    if vertical is None or roll is None or features.get("impact_jolt_px") == 0.0:
        return None
    return min(1.0, max(0.0, 1.0 - vertical - roll))


def _lead_time(event: Hazard | None, measurements: Measurements) -> float | None:
    """Return for how long, until the event, what is ahead grew without a break; None where that cannot be told."""
    growth = next((signal for signal in measurements.signals if signal.name == GROWTH_SIGNAL), None)
    if event is None or growth is None:
        return None
    seconds = _grown_for(growth, event)
    # Tracks are evidence for people so far; how long somebody was ahead is not read from them yet.
    untold = DETECTOR in measurements.degraded or any(signal.name == TRACKED for signal in measurements.signals)
    return None if untold and seconds < SHORTEST_TOLD_SECONDS else seconds


def _grown_for(growth: Signal, event: Hazard) -> float:
    last = min(len(growth.values) - 1, int((event.start_seconds - growth.start_seconds) / growth.step_seconds))
    first = last
    while first >= 0 and growth.values[first] >= SEEN_GROWTH:
        first -= 1
    return round((last - first) * growth.step_seconds, 3)
