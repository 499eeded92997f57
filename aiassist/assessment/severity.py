"""Severity by a small learned model: multinomial logistic regression on measured features, evaluated with NumPy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aiassist.assessment.conformal import COVERAGE_TARGET, is_calibrated, prediction_set, with_label
from aiassist.assessment.features import severity_features
from aiassist.assessment.recorded import RecordedSeverity
from aiassist.assessment.tenant_conformal import TENANT, TenantCalibration
from aiassist.types import Measurements, Severity, SeverityOpinion

MODEL_PATH = Path(__file__).parent / "model" / "severity_v1.json"
LABELS = tuple(Severity)

# Without a vision model nobody has looked at the pictures as a whole, so no answer may look surer than this (AI.md, 2).
DEGRADED_CONFIDENCE_CAP = 0.7
# A feature further outside the training range than half of that range is a kind of video the model has not seen.
UNFAMILIAR_MARGIN = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureScale:
    """How one feature comes to the model: squeezed (sign(x)·ln(1+|x|)), clipped to the range seen, standardised."""

    name: str
    mean: float
    scale: float
    low: float
    high: float

    def standardised(self, value: float) -> float:
        """Return the value in standard deviations of the training set."""
        return (min(max(squeezed(value), self.low), self.high) - self.mean) / self.scale

    def is_unfamiliar(self, value: float) -> bool:
        """Tell whether the value is far outside of what the training set held."""
        margin = UNFAMILIAR_MARGIN * (self.high - self.low)
        return not self.low - margin <= squeezed(value) <= self.high + margin


@dataclass(frozen=True)
class SeverityModel:
    """The learned weights and the calibration cases, as the committed JSON file holds them."""

    version: str
    calibration_source: str
    scales: tuple[FeatureScale, ...]
    weights: Floats  # labels x features
    bias: Floats  # labels
    calibration: Mapping[Severity, tuple[float, ...]]

    def probabilities(self, features: Mapping[str, float]) -> dict[Severity, float]:
        """Return the calibrated probability of each label; a missing feature counts as average."""
        row = np.array([s.standardised(features[s.name]) if s.name in features else 0.0 for s in self.scales])
        scores = self.weights @ row + self.bias
        powers = np.exp(scores - scores.max())
        shares = powers / powers.sum()
        return {label: float(share) for label, share in zip(LABELS, shares, strict=True)}

    def unfamiliar_features(self, features: Mapping[str, float]) -> tuple[str, ...]:
        """Return the features that are missing or far outside the training range."""
        return tuple(s.name for s in self.scales if s.name not in features or s.is_unfamiliar(features[s.name]))


def squeezed(value: float) -> float:
    """Compress the long tails of robust z-scores, which differ by factors and not by sums between clips."""
    return float(np.sign(value) * np.log1p(abs(value)))


@cache
def load_model(path: Path = MODEL_PATH) -> SeverityModel:
    """Read the committed model."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return SeverityModel(
        version=content["version"],
        calibration_source=content["calibration_source"],
        scales=tuple(FeatureScale(**row) for row in content["features"]),
        weights=np.array(content["weights"], dtype=np.float64),
        bias=np.array(content["bias"], dtype=np.float64),
        calibration={Severity(label): tuple(scores) for label, scores in content["calibration"].items()},
    )


@dataclass(frozen=True)
class SeverityPrediction:
    """What the model says before anything caps or widens it."""

    label: Severity
    probabilities: Mapping[Severity, float]
    unfamiliar: tuple[str, ...]


def predict_severity(measurements: Measurements, model: SeverityModel) -> SeverityPrediction:
    """Return the most probable label with all probabilities."""
    features = severity_features(measurements)
    probabilities = model.probabilities(features)
    label = max(LABELS, key=lambda candidate: probabilities[candidate])
    return SeverityPrediction(label, probabilities, model.unfamiliar_features(features))


def severity_opinion(
    prediction: SeverityPrediction,
    model: SeverityModel,
    *,
    cap_confidence: bool,
    raised: Severity | None,
    tenant: TenantCalibration | None = None,
    recorded: RecordedSeverity | None = None,
) -> SeverityOpinion:
    """Return label, capped confidence and prediction set.

    `raised` (a vision model's higher severity that a measured impact supports) widens the set up to that label;
    nothing ever narrows it. A set that is empty, because no class fits the measurements, stays so: what a model says
    must not make the case look understood. Outside the training range the rendered calibration promises nothing and is
    not claimed; `tenant`, made of the tenant's own videos whatever they look like, takes its place where there is one.
    `recorded` (the camera's own sensor) outranks the pictures: it names the label, and what it leaves open joins the
    set, which so covers at least as often as promised.
    """
    if tenant is not None:
        labels = tenant.prediction_set(prediction.probabilities)
    else:
        labels = prediction_set(prediction.probabilities, model.calibration, coverage=COVERAGE_TARGET)
    labels = with_label(labels, prediction.probabilities)
    label, probabilities = prediction.label, prediction.probabilities
    if recorded is not None:
        label, probabilities = recorded.label, recorded.shares
        labels = tuple(each for each in LABELS if each in labels or each in recorded.possible)
    if raised is not None and labels:
        between = LABELS[LABELS.index(label) : LABELS.index(raised) + 1]
        labels = tuple(each for each in LABELS if each in labels or each in between)
    confidence = probabilities[label]
    if cap_confidence or prediction.unfamiliar:
        confidence = min(confidence, DEGRADED_CONFIDENCE_CAP)
    return SeverityOpinion(
        label=label,
        confidence=round(confidence, 4),
        probabilities={each: round(share, 4) for each, share in probabilities.items()},
        prediction_set=labels,
        coverage_target=COVERAGE_TARGET,
        calibrated=tenant is not None or (is_calibrated(model.calibration) and not prediction.unfamiliar),
        calibration_source=TENANT if tenant is not None else model.calibration_source,
        model_version=model.version,
        model_probabilities={each: round(share, 4) for each, share in prediction.probabilities.items()},
    )


def severity_not_assessable(model: SeverityModel) -> SeverityOpinion:
    """Return the opinion that rules nothing out."""
    return SeverityOpinion(
        label=None,
        confidence=0.0,
        probabilities={},
        prediction_set=LABELS,
        coverage_target=COVERAGE_TARGET,
        calibrated=False,
        calibration_source=model.calibration_source,
        model_version=model.version,
    )
