"""The insured driver's share: an even start that cited rules move, and an interval that missing evidence widens.

The effects are the engine's own convention in percentage points, near the shares that courts start from (prima facie
evidence against the one who drives into the rear; equal shares where nothing is known). They advise a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from aiassist.assessment.jurisdictions import RuleCode, source_of
from aiassist.assessment.scenario import SceneReading, read_scene
from aiassist.assessment.scenario_model import learned_reading, load_scenario_model
from aiassist.assessment.scene import Scene, scene_of
from aiassist.types import FaultOpinion, FaultRule, Measurements, Scenario

EVEN_SHARE_PCT = 50.0

# The main rule of each scenario and how far it moves an even share when the scenario is certain.
_MAIN_RULES: Final[Mapping[Scenario, tuple[RuleCode, float]]] = {
    Scenario.REAR_END: (RuleCode.KEEP_DISTANCE, 45.0),
    Scenario.REAR_ENDED: (RuleCode.STRUCK_FROM_BEHIND, -45.0),
    Scenario.SIDE_IMPACT: (RuleCode.RIGHT_OF_WAY_OPEN, 0.0),
    Scenario.CUT_IN: (RuleCode.OTHER_CHANGED_LANE, -30.0),
    Scenario.LANE_CHANGE: (RuleCode.OWN_LANE_CHANGE, 35.0),
    Scenario.HEAD_ON: (RuleCode.KEEP_TO_OWN_SIDE, 0.0),
    Scenario.SINGLE_VEHICLE: (RuleCode.CONTROL_OF_VEHICLE, 45.0),
    Scenario.THIRD_PARTY: (RuleCode.NOT_INVOLVED, -50.0),
    Scenario.NEAR_MISS: (RuleCode.NO_CONTACT, -50.0),
    Scenario.NO_EVENT: (RuleCode.NO_EVENT_SEEN, 0.0),
    Scenario.UNKNOWN: (RuleCode.RIGHT_OF_WAY_OPEN, 0.0),
}

# Half widths in points when everything was measured: what a video alone leaves open (signals, signs, speed limits).
_BASE_HALF_WIDTH_PCT: Final[Mapping[Scenario, float]] = {
    Scenario.REAR_END: 15.0,
    Scenario.REAR_ENDED: 10.0,
    Scenario.THIRD_PARTY: 5.0,
    Scenario.NEAR_MISS: 15.0,
    Scenario.CUT_IN: 20.0,
    Scenario.LANE_CHANGE: 20.0,
    Scenario.SINGLE_VEHICLE: 15.0,
    Scenario.SIDE_IMPACT: 35.0,
    Scenario.HEAD_ON: 40.0,
    Scenario.NO_EVENT: 50.0,
    Scenario.UNKNOWN: 50.0,
}
DOUBT_WIDTH_PCT = 30.0  # an event nobody is sure of widens by this much
# What a detector sees is evidence for people; no rule reads its tracks yet, so this stays open with weights as without.
UNREAD_TRACKS_WIDTH_PCT = 10.0
MISSING_WIDTH_PCT: Final[Mapping[str, float]] = {"detector_weights": 0.0, "audio_track": 3.0, "telemetry": 2.0}
OTHER_MISSING_WIDTH_PCT = 5.0
UNMEASURED_CUE_WIDTH_PCT = 5.0

# An approach shorter than reaction plus braking time (1 s is the usual reaction time in accident reconstruction).
SUDDEN_LEAD_SECONDS = 1.5


def fault_opinion(measurements: Measurements, *, jurisdiction: str | None) -> FaultOpinion:
    """Return the share with its interval, the scenario and every applied rule with its source."""
    scene = scene_of(measurements)
    reading = learned_reading(measurements, scene, load_scenario_model()) or read_scene(scene)
    rules = tuple(
        FaultRule(code=code.value, effect_pct=round(effect, 1), source=source_of(code, jurisdiction))
        for code, effect in _effects(scene, reading)
    )
    ratio = min(100.0, max(0.0, EVEN_SHARE_PCT + sum(rule.effect_pct for rule in rules)))
    half = half_width_pct(scene, reading)
    return FaultOpinion(
        ratio_pct=round(ratio, 1),
        low_pct=round(max(0.0, ratio - half), 1),
        high_pct=round(min(100.0, ratio + half), 1),
        scenario=reading.scenario,
        rules=rules,
    )


def fault_not_assessable() -> FaultOpinion:
    """Return the share of a video that shows nothing: an even one, anywhere between 0 and 100."""
    return FaultOpinion(EVEN_SHARE_PCT, 0.0, 100.0, Scenario.UNKNOWN, ())


def half_width_pct(scene: Scene, reading: SceneReading) -> float:
    """Return how far the share may lie to either side; every missing measurement adds to it."""
    missing = sum(MISSING_WIDTH_PCT.get(name, OTHER_MISSING_WIDTH_PCT) for name in scene.missing)
    cues = (scene.closing, scene.speed_jump, scene.sideways)
    unmeasured = UNMEASURED_CUE_WIDTH_PCT * sum(cue is None for cue in cues)
    doubt = DOUBT_WIDTH_PCT * (1.0 - reading.certainty)
    return _BASE_HALF_WIDTH_PCT[reading.scenario] + UNREAD_TRACKS_WIDTH_PCT + missing + unmeasured + doubt


def _effects(scene: Scene, reading: SceneReading) -> Iterator[tuple[RuleCode, float]]:
    """Yield each rule that applies with its effect; the main rule counts as far as the scenario is certain."""
    code, effect = _MAIN_RULES[reading.scenario]
    yield code, effect * reading.certainty
    if reading.scenario in (Scenario.REAR_END, Scenario.CUT_IN):
        yield from _approach_effects(scene)
    if reading.scenario is Scenario.REAR_ENDED and scene.braked_before:
        yield RuleCode.OWN_SUDDEN_BRAKING, 20.0
    if reading.scenario is Scenario.SIDE_IMPACT and scene.braked_before:
        yield RuleCode.REACTED, -5.0


def _approach_effects(scene: Scene) -> Iterator[tuple[RuleCode, float]]:
    """Yield what the last seconds before striking a vehicle ahead say about both drivers."""
    lead = scene.lead_time_seconds
    if lead is not None and lead < SUDDEN_LEAD_SECONDS:
        yield RuleCode.SUDDEN_BRAKING_AHEAD, -15.0 * (1.0 - lead / SUDDEN_LEAD_SECONDS)
    if scene.braked_before:
        yield RuleCode.REACTED, -5.0
    elif lead is not None and lead >= SUDDEN_LEAD_SECONDS:
        yield RuleCode.NO_REACTION, 5.0
