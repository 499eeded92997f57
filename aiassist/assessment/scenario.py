"""Names what happened from the measured cues by rules, with how sure that is; `scenario_model` is asked first."""

from __future__ import annotations

from dataclasses import dataclass

from aiassist.assessment.scene import Scene
from aiassist.types import Scenario

# Seen to come closer and felt to stop, each half of the proof: striking a vehicle ahead reached 0.53 to 1 on rendered
# training clips, other impacts up to 0.4.
FRONTAL_FROM = 0.5
# A blow from the front takes most of the speed at once; one from the side up to half of it.
SIDE_LOSS, FRONT_LOSS = 0.4, 0.95
# The own speed rises at an impact only when the push comes from behind; less is the noise of the speed proxy.
PUSH_FROM, SURE_PUSH = 0.03, 0.1
# Slower than this share of the usual speed the vehicle stands or creeps: what strikes it then mostly comes from behind.
STANDING_SPEED = 0.2
# Above this share of its energy the jolt has a part from the side; blows along the road reach 0.12 unless very hard.
SIDEWAYS_FROM = 0.15
# A vehicle that loses part of its speed and had nothing coming closer ahead was struck at its side.
PART_LOSS = 0.3


@dataclass(frozen=True)
class SceneReading:
    """The scenario and how surely the cues say so (0-1)."""

    scenario: Scenario
    certainty: float


def read_scene(scene: Scene) -> SceneReading:
    """Return the scenario that the cues support best; UNKNOWN where an impact is seen but not where it came from."""
    if scene.impact is not None:
        return _read_impact(scene, scene.impact.score)
    if scene.third_party is not None:
        return SceneReading(Scenario.THIRD_PARTY, scene.third_party.score)
    if scene.near_miss is not None:
        return SceneReading(Scenario.NEAR_MISS, scene.near_miss.score)
    return SceneReading(Scenario.NO_EVENT, 1.0 - 0.1 * min(len(scene.missing), 5))


def _read_impact(scene: Scene, score: float) -> SceneReading:
    closing, stopped = scene.closing or 0.0, _stopped(scene.speed_jump)
    frontal = (closing + stopped) / 2
    if frontal >= FRONTAL_FROM:
        return SceneReading(Scenario.REAR_END, score * frontal)
    jump, sideways = scene.speed_jump, scene.sideways or 0.0
    stood = scene.speed_before is not None and scene.speed_before < STANDING_SPEED
    if stood or (jump is not None and jump >= SURE_PUSH):
        return SceneReading(Scenario.REAR_ENDED, score * min(1.0, 0.5 + max(jump or 0.0, 0.0)))
    if sideways >= SIDEWAYS_FROM:
        return SceneReading(Scenario.SIDE_IMPACT, score * min(1.0, 0.5 + sideways))
    if jump is not None and jump >= PUSH_FROM:
        return SceneReading(Scenario.REAR_ENDED, score * 0.5)
    if jump is not None and jump <= -PART_LOSS:
        return SceneReading(Scenario.SIDE_IMPACT, score * 0.5)
    return SceneReading(Scenario.UNKNOWN, score)


def _stopped(speed_jump: float | None) -> float:
    """Return how surely the own speed was taken by something ahead (0-1)."""
    lost = -(speed_jump or 0.0)
    return min(1.0, max(0.0, (lost - SIDE_LOSS) / (FRONT_LOSS - SIDE_LOSS)))
