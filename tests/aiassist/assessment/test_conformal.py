"""Prediction sets equal those of crepes, keep their promise class by class, and never hide an uncalibrated class."""

from __future__ import annotations

import numpy as np
import pytest
from crepes import ConformalClassifier
from hypothesis import given, settings
from hypothesis import strategies as st

from aiassist.assessment.conformal import (
    COVERAGE_TARGET,
    is_calibrated,
    minimum_cases,
    p_value,
    prediction_set,
    with_label,
)
from aiassist.assessment.recorded import recorded_severity
from aiassist.assessment.severity import SeverityPrediction, load_model, severity_opinion
from aiassist.types import Severity, Telemetry
from tests.aiassist.assessment.cases import small_model

LABELS = tuple(Severity)


def random_probabilities(rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """Probabilities of a model that is right more often than not, and worse in rare classes."""
    logits = rng.normal(size=(truth.size, 4))
    logits[np.arange(truth.size), truth] += 2.0 - 0.4 * truth
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def calibration_of(probabilities: np.ndarray, truth: np.ndarray) -> dict[Severity, tuple[float, ...]]:
    return {label: tuple(1.0 - probabilities[truth == index, index]) for index, label in enumerate(LABELS)}


def sets_of(probabilities: np.ndarray, calibration: dict[Severity, tuple[float, ...]]) -> list[tuple[Severity, ...]]:
    rows = [dict(zip(LABELS, (float(share) for share in row), strict=True)) for row in probabilities]
    return [prediction_set(row, calibration) for row in rows]


def test_prediction_set_equals_crepes() -> None:
    rng = np.random.default_rng(5)
    truth = rng.choice(4, size=300, p=[0.5, 0.3, 0.15, 0.05])
    seen = random_probabilities(rng, truth)
    fresh = random_probabilities(rng, rng.choice(4, size=200))
    classifier = ConformalClassifier()
    classifier.fit(1.0 - seen[np.arange(truth.size), truth], bins=truth)
    bins = np.tile(np.arange(4), (fresh.shape[0], 1))
    oracle = np.column_stack(
        [
            classifier.predict_p((1.0 - fresh)[:, [label]], bins=bins[:, label], all_classes=True, smoothing=False)
            for label in range(4)
        ]
    )
    expected = [tuple(label for index, label in enumerate(LABELS) if row[index] > 0.1 + 1e-12) for row in oracle]
    assert sets_of(fresh, calibration_of(seen, truth)) == expected


def test_prediction_set_covers_every_class_not_only_the_common_ones() -> None:
    rng = np.random.default_rng(11)
    covered = np.zeros(4)
    total = np.zeros(4)
    for _ in range(60):
        truth = rng.choice(4, size=240, p=[0.6, 0.2, 0.1, 0.1])
        calibration = calibration_of(random_probabilities(rng, truth), truth)
        fresh = rng.choice(4, size=100)
        for label, found in zip(fresh, sets_of(random_probabilities(rng, fresh), calibration), strict=True):
            total[label] += 1
            covered[label] += LABELS[label] in found
    assert (covered / total >= 0.9 - 0.02).all()


def test_minimum_cases_is_nine_at_ninety_percent() -> None:
    assert minimum_cases(0.9) == 9
    assert minimum_cases(0.95) == 19


@pytest.mark.parametrize(("cases", "kept"), [(0, True), (8, True), (9, False), (50, False)])
def test_prediction_set_never_leaves_out_a_class_with_too_few_cases(cases: int, kept: bool) -> None:
    calibration = {label: tuple([0.1] * 50) for label in LABELS} | {Severity.HIGH: tuple([0.1] * cases)}
    row = {Severity.NONE: 0.95, Severity.LOW: 0.03, Severity.MEDIUM: 0.02, Severity.HIGH: 0.0}
    assert (Severity.HIGH in prediction_set(row, calibration)) is kept
    assert is_calibrated(calibration) is not kept


def test_prediction_set_may_be_empty_where_every_class_rules_the_case_out() -> None:
    calibration = {label: tuple([0.05] * 50) for label in LABELS}
    assert prediction_set(dict.fromkeys(LABELS, 0.25), calibration) == ()


def test_p_value_counts_ties_as_strange() -> None:
    assert p_value(0.5, [0.1, 0.5, 0.9]) == 0.75
    assert p_value(0.95, [0.1, 0.5, 0.9]) == 0.25


shares = st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4).map(
    lambda row: {label: share / sum(row) for label, share in zip(LABELS, row, strict=True)}
)
calibrations = st.fixed_dictionaries({label: st.lists(st.floats(0.0, 1.0), max_size=40).map(tuple) for label in LABELS})


@settings(max_examples=50, deadline=None)
@given(probabilities=shares, calibration=calibrations)
def test_the_label_lies_in_its_own_set_and_the_set_never_shrinks(
    probabilities: dict[Severity, float], calibration: dict[Severity, tuple[float, ...]]
) -> None:
    """A model may be surest of a label that its own calibration rules out (HIGH at 49 %, set MEDIUM)."""
    promised = prediction_set(probabilities, calibration)
    surest = max(LABELS, key=probabilities.__getitem__)
    said = severity_opinion(
        SeverityPrediction(surest, probabilities, ()),
        small_model(calibration=calibration),
        cap_confidence=False,
        raised=None,
    )
    assert said.label is surest
    assert set(promised) <= set(said.prediction_set)
    assert (surest in said.prediction_set) is bool(promised), "what no class fits says so"
    assert said.prediction_set == with_label(promised, probabilities)


def test_each_class_keeps_its_promise_without_what_empty_sets_could_add() -> None:
    """Leave-one-out on the committed calibration cases: the true label's score alone decides, whatever else is left."""
    for label, scores in load_model().calibration.items():
        others = [(score, [*scores[:index], *scores[index + 1 :]]) for index, score in enumerate(scores)]
        kept = sum(p_value(score, rest) > 1.0 - COVERAGE_TARGET + 1e-12 for score, rest in others)
        assert kept / len(scores) >= COVERAGE_TARGET, label


NOTHING_FITS = {label: tuple([0.05] * 50) for label in LABELS}


@pytest.mark.parametrize("raised", [None, Severity.HIGH])
def test_an_empty_set_stays_empty_whatever_a_vision_model_says(raised: Severity | None) -> None:
    shares = {Severity.NONE: 0.4, Severity.LOW: 0.3, Severity.MEDIUM: 0.2, Severity.HIGH: 0.1}
    said = severity_opinion(
        SeverityPrediction(Severity.NONE, shares, ()),
        small_model(calibration=NOTHING_FITS),
        cap_confidence=False,
        raised=raised,
    )
    assert (said.label, said.prediction_set) == (Severity.NONE, ())


def test_a_recorded_blow_fills_an_empty_set() -> None:
    shares = {Severity.NONE: 0.4, Severity.LOW: 0.3, Severity.MEDIUM: 0.2, Severity.HIGH: 0.1}
    said = severity_opinion(
        SeverityPrediction(Severity.NONE, shares, ()),
        small_model(calibration=NOTHING_FITS),
        cap_confidence=False,
        raised=None,
        recorded=recorded_severity(Telemetry(fixes=0, acceleration_samples=50, delta_v_kmh=7.0, delta_v_error_kmh=2.0)),
    )
    assert (said.label, said.prediction_set) == (Severity.LOW, (Severity.LOW, Severity.MEDIUM))
