"""Learns the scenario model from rendered truth. NumPy only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from aiassist.assessment.logistic import best_strength, fit, out_of_fold_logits
from aiassist.assessment.scenario_model import STRUCK, UNTOUCHED, ScenarioModel
from aiassist.assessment.training import STRENGTHS, feature_scales
from aiassist.types import Scenario

MODEL_VERSION = "scenario-1"
# The order of the labels in the file; every scenario that the renderer plays.
LABELS = tuple(dict.fromkeys((*STRUCK, *UNTOUCHED)))


@dataclass(frozen=True)
class ScenarioCase:
    """The features of one clip and what happens in it."""

    features: Mapping[str, float]
    scenario: Scenario


@dataclass(frozen=True)
class TrainedScenario:
    """The model, the penalty that cross-validation chose, and how often its models were right on clips unseen."""

    model: ScenarioModel
    strength: float
    cross_validated_accuracy: float


def train_scenario(cases: Sequence[ScenarioCase]) -> TrainedScenario:
    """Fit on cases as common as they were rendered: the share of a scenario is part of what is learned."""
    scales = feature_scales([case.features for case in cases])
    rows = np.array([[scale.standardised(case.features[scale.name]) for scale in scales] for case in cases])
    labels = np.array([LABELS.index(case.scenario) for case in cases], dtype=np.int64)
    classes = len(LABELS)
    strength = best_strength(rows, labels, classes=classes, candidates=STRENGTHS, balanced=False)
    guessed = out_of_fold_logits(rows, labels, classes=classes, strength=strength, balanced=False).argmax(axis=1)
    fitted = fit(rows, labels, classes=classes, strength=strength, case_weights=np.ones(labels.size))
    model = ScenarioModel(MODEL_VERSION, LABELS, scales, np.round(fitted.weights, 6), np.round(fitted.bias, 6))
    return TrainedScenario(model, strength, round(float(np.mean(guessed == labels)), 4))


def write_scenario_model(model: ScenarioModel, path: Path, *, trained: Mapping[str, object]) -> None:
    """Write the model as JSON with how it was trained."""
    document = {
        "version": model.version,
        "labels": list(model.labels),
        "features": [asdict(scale) for scale in model.scales],
        "weights": model.weights.tolist(),
        "bias": model.bias.tolist(),
        "trained": dict(trained),
    }
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
