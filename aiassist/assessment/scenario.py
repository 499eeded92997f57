"""Names what happened from the measured cues, with how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

from aiassist.assessment.scene import Scene
from aiassist.types import Scenario

# Something ahead stopped the insured with at least this certainty.
FRONTAL_FROM = 0.5
# A blow from the front takes most of the speed at once; one from the side, measured on rendered training clips, up to
# half of it. Between the two it is undecided.
SIDE_LOSS, FRONT_LOSS = 0.4, 0.8
# The own speed rises at an impact only when the push comes from behind; less is the noise of the speed proxy.
PUSH_FROM = 0.03
# Above this share the jolt came from the side rather than along the road.
SIDEWAYS_FROM = 0.6
SIDE_ENTRY_FROM = 0.5


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
    if max(closing, stopped) >= FRONTAL_FROM:
        entered = scene.entered_from_side or 0.0
        if entered >= SIDE_ENTRY_FROM:
            return SceneReading(Scenario.CUT_IN, score * entered)
        # Seen to come closer and felt to stop: each alone is half of the proof.
        return SceneReading(Scenario.REAR_END, score * (max(closing, stopped) + closing) / 2)
    if scene.sideways is not None and scene.sideways >= SIDEWAYS_FROM:
        return SceneReading(Scenario.SIDE_IMPACT, score * scene.sideways)
    if scene.speed_jump is not None and scene.speed_jump >= PUSH_FROM:
        return SceneReading(Scenario.REAR_ENDED, score * min(1.0, 0.5 + scene.speed_jump))
    return SceneReading(Scenario.UNKNOWN, score)


def _stopped(speed_jump: float | None) -> float:
    """Return how surely the own speed was taken by something ahead (0-1)."""
    lost = -(speed_jump or 0.0)
    return min(1.0, max(0.0, (lost - SIDE_LOSS) / (FRONT_LOSS - SIDE_LOSS)))
