"""Learns the severity model from rendered truth and calibrates it on cases it has not seen. NumPy only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from aiassist.assessment.logistic import (
    Floats,
    Labels,
    balanced_weights,
    best_strength,
    best_temperature,
    fit,
    out_of_fold_logits,
)
from aiassist.assessment.severity import LABELS, FeatureScale, SeverityModel, squeezed
from aiassist.types import Severity

MODEL_VERSION = "severity-2"
RENDERED = "RENDERED"  # the only source the bundled calibration speaks for
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
# A feature that hardly varies in the training set would blow up noise elsewhere.
LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Case:
    """The features of one clip and its true severity."""

    features: Mapping[str, float]
    severity: Severity


@dataclass(frozen=True)
class Trained:
    """The model and what the fit chose."""

    model: SeverityModel
    strength: float
    temperature: float


def train_severity(training: Sequence[Case], calibration: Sequence[Case]) -> Trained:
    """Fit on one set of cases, calibrate on another; the two must not share a clip."""
    scales = feature_scales([case.features for case in training])
    rows, labels = _table(training, scales)
    strength = best_strength(rows, labels, classes=len(LABELS), candidates=STRENGTHS)
    temperature = best_temperature(out_of_fold_logits(rows, labels, classes=len(LABELS), strength=strength), labels)
    weights = balanced_weights(labels, classes=len(LABELS))
    fitted = fit(rows, labels, classes=len(LABELS), strength=strength, case_weights=weights)
    bare = SeverityModel(
        version=MODEL_VERSION,
        calibration_source=RENDERED,
        scales=scales,
        weights=np.round(fitted.weights / temperature, 6),
        bias=np.round(fitted.bias / temperature, 6),
        calibration={},
    )
    scores = calibration_scores(bare, calibration)
    model = SeverityModel(bare.version, bare.calibration_source, bare.scales, bare.weights, bare.bias, scores)
    return Trained(model, strength, round(temperature, 4))


def feature_scales(cases: Sequence[Mapping[str, float]]) -> tuple[FeatureScale, ...]:
    """Return how each feature that all cases have, and that varies, is standardised."""
    names = sorted(set.intersection(*(set(features) for features in cases)))
    scales = []
    for name in names:
        values = np.array([squeezed(features[name]) for features in cases])
        if values.std() > LEAST_SPREAD:
            low, high = float(values.min()), float(values.max())
            numbers = [round(number, 6) for number in (float(values.mean()), float(values.std()), low, high)]
            scales.append(FeatureScale(name, *numbers))
    return tuple(scales)


def calibration_scores(model: SeverityModel, cases: Sequence[Case]) -> dict[Severity, tuple[float, ...]]:
    """Return per class how strange the true label of each calibration case looked to the model (1 - probability)."""
    scores: dict[Severity, list[float]] = {label: [] for label in LABELS}
    for case in cases:
        scores[case.severity].append(round(1.0 - model.probabilities(case.features)[case.severity], 6))
    return {label: tuple(sorted(found)) for label, found in scores.items()}


def _table(cases: Sequence[Case], scales: tuple[FeatureScale, ...]) -> tuple[Floats, Labels]:
    rows = np.array([[scale.standardised(case.features[scale.name]) for scale in scales] for case in cases])
    labels = np.array([LABELS.index(case.severity) for case in cases], dtype=np.int64)
    return rows, labels


def write_model(model: SeverityModel, path: Path, *, trained: Mapping[str, object]) -> None:
    """Write the model as JSON with how it was trained."""
    document = {
        "version": model.version,
        "calibration_source": model.calibration_source,
        "labels": list(LABELS),
        "features": [asdict(scale) for scale in model.scales],
        "weights": model.weights.tolist(),
        "bias": model.bias.tolist(),
        "calibration": {label: list(model.calibration[label]) for label in LABELS},
        "trained": dict(trained),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
