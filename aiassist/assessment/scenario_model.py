"""The scenario by a small learned model: multinomial logistic regression over measured features, evaluated with NumPy.

It only chooses among what the measured events allow: an impact cannot end as a near miss, a crash between others that
was measured stays one, and without any measured event there is none to name. Where the video is unlike the training
set it says nothing, and the rules of `scenario` read the cues alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from aiassist.assessment.features import scenario_features
from aiassist.assessment.scenario import SceneReading
from aiassist.assessment.scene import Scene
from aiassist.assessment.severity import FeatureScale, Floats
from aiassist.types import HazardKind, Measurements, Scenario

SCENARIO_PATH = Path(__file__).parent / "model" / "scenario_v1.json"

STRUCK = (Scenario.REAR_END, Scenario.REAR_ENDED, Scenario.SIDE_IMPACT, Scenario.CUT_IN)
NEARLY_STRUCK = (Scenario.NEAR_MISS, Scenario.CUT_IN)
UNTOUCHED = (Scenario.NO_EVENT, Scenario.NEAR_MISS, Scenario.THIRD_PARTY, Scenario.CUT_IN)
HEARD_ONLY = (Scenario.NO_EVENT, Scenario.THIRD_PARTY)
# What the own vehicle did; without it nobody had to get out of anybody's way.
REACTIONS = {HazardKind.HARD_BRAKE, HazardKind.SKID}


@dataclass(frozen=True)
class ScenarioModel:
    """The learned weights, as the committed JSON file holds them."""

    version: str
    labels: tuple[Scenario, ...]
    scales: tuple[FeatureScale, ...]
    weights: Floats  # labels x features
    bias: Floats  # labels

    def shares(self, features: Mapping[str, float], possible: tuple[Scenario, ...]) -> dict[Scenario, float]:
        """Return the probability of each possible scenario; they add up to 1."""
        row = np.array([scale.standardised(features[scale.name]) for scale in self.scales])
        kept = [index for index, label in enumerate(self.labels) if label in possible]
        scores = (self.weights @ row + self.bias)[kept]
        powers = np.exp(scores - scores.max())
        return {self.labels[index]: float(power / powers.sum()) for index, power in zip(kept, powers, strict=True)}

    def knows(self, features: Mapping[str, float]) -> bool:
        """Tell whether all features are there and near the training range."""
        return all(scale.name in features and not scale.is_unfamiliar(features[scale.name]) for scale in self.scales)


@cache
def load_scenario_model(path: Path = SCENARIO_PATH) -> ScenarioModel:
    """Read the committed model."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return ScenarioModel(
        version=content["version"],
        labels=tuple(Scenario(label) for label in content["labels"]),
        scales=tuple(FeatureScale(**row) for row in content["features"]),
        weights=np.array(content["weights"], dtype=np.float64),
        bias=np.array(content["bias"], dtype=np.float64),
    )


def learned_reading(measurements: Measurements, scene: Scene, model: ScenarioModel) -> SceneReading | None:
    """Return the most probable scenario that the measured events allow; None where the model may not speak."""
    possible = possible_scenarios(measurements, scene)
    features = scenario_features(measurements)
    if len(possible) < 2 or not model.knows(features):
        return None
    shares = model.shares(features, possible)
    best = max(possible, key=lambda label: shares[label])
    event = scene.impact or scene.near_miss
    return SceneReading(best, shares[best] * (event.score if event is not None else 1.0))


def possible_scenarios(measurements: Measurements, scene: Scene) -> tuple[Scenario, ...]:
    """Return what the measured events leave open."""
    if scene.impact is not None:
        return STRUCK
    if scene.third_party is not None:
        return (Scenario.THIRD_PARTY,)
    if scene.near_miss is not None:
        return NEARLY_STRUCK
    kinds = {hazard.kind for hazard in measurements.hazards}
    if kinds & REACTIONS:
        return UNTOUCHED
    return HEARD_ONLY if HazardKind.AUDIO_BANG in kinds else (Scenario.NO_EVENT,)
