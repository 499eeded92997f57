"""A tenant's own calibration: equal to crepes, weighted by how cases were drawn, kept on target through a drift."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from crepes import ConformalClassifier

from aiassist.assessment.pipeline import run
from aiassist.assessment.tenant_conformal import (
    FEWEST_MISSES,
    FEWEST_PER_CLASS,
    MOST_MISSES,
    AuditedCase,
    ClassScores,
    TenantCalibration,
    adapted_misses,
    tenant_calibration,
)
from aiassist.gateway.chain import ProviderChain
from aiassist.types import Severity
from tests.aiassist.assessment.cases import crash, make_dossier, small_model
from tests.aiassist.assessment.test_conformal import random_probabilities

LABELS = tuple(Severity)


def cases_of(probabilities: np.ndarray, truth: np.ndarray, share: float | np.ndarray = 0.05) -> list[AuditedCase]:
    shares = np.broadcast_to(share, truth.shape)
    return [
        AuditedCase(dict(zip(LABELS, map(float, row), strict=True)), LABELS[label], float(drawn))
        for row, label, drawn in zip(probabilities, truth, shares, strict=True)
    ]


def overconfident(rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """Probabilities of the same model on roads that it does not know: often wrong, and as sure as ever."""
    logits = 1.5 * rng.normal(size=(truth.size, 4))
    logits[np.arange(truth.size), truth] += 1.0
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def calibrated(cases: list[AuditedCase]) -> TenantCalibration:
    made = tenant_calibration(cases, [])
    assert made is not None
    return made


def rows_of(probabilities: np.ndarray) -> list[dict[Severity, float]]:
    return [dict(zip(LABELS, map(float, row), strict=True)) for row in probabilities]


def test_sets_equal_crepes_where_every_case_was_drawn_alike() -> None:
    rng = np.random.default_rng(5)
    truth = rng.choice(4, size=600, p=[0.4, 0.3, 0.2, 0.1])
    seen, fresh = random_probabilities(rng, truth), random_probabilities(rng, rng.choice(4, size=300))
    classifier = ConformalClassifier()
    classifier.fit(1.0 - seen[np.arange(truth.size), truth], bins=truth)
    oracle = np.column_stack(
        [
            classifier.predict_p(
                (1.0 - fresh)[:, [label]], bins=np.full(len(fresh), label), all_classes=True, smoothing=False
            )
            for label in range(4)
        ]
    )
    calibration = calibrated(cases_of(seen, truth))
    for row, expected in zip(rows_of(fresh), oracle, strict=True):
        found = [calibration.classes[label].p_value(1.0 - row[label]) for label in LABELS]
        assert found == pytest.approx(list(expected), abs=1e-12)
        assert calibration.prediction_set(row) == tuple(
            label for label, p in zip(LABELS, expected, strict=True) if p > 0.1 + 1e-12
        )


@pytest.mark.parametrize(("rare", "enough"), [(FEWEST_PER_CLASS - 1, False), (FEWEST_PER_CLASS, True)])
def test_every_class_needs_its_cases_before_the_tenants_own_calibration_speaks(rare: int, *, enough: bool) -> None:
    truth = np.array([0] * 80 + [1] * 80 + [2] * 80 + [3] * rare)
    seen = random_probabilities(np.random.default_rng(1), truth)
    assert (tenant_calibration(cases_of(seen, truth), []) is not None) is enough


def test_a_case_that_was_drawn_more_rarely_counts_more() -> None:
    common = ClassScores(np.array([0.1] * 10 + [0.9] * 10), np.ones(20))
    strange_rare = ClassScores(common.scores, np.array([1.0] * 10 + [4.0] * 10))
    assert common.p_value(0.5) == 11 / 21
    assert strange_rare.p_value(0.5) == pytest.approx((40 + 4) / (50 + 4))


def test_a_changed_share_does_not_tilt_the_coverage() -> None:
    """The easy half of the claims was drawn at 40 %, the hard half at 5 %: counting them alike promises too much."""
    rng = np.random.default_rng(9)
    truth = rng.choice(4, size=24_000)
    probabilities = random_probabilities(rng, truth)
    hard = np.arange(truth.size) >= truth.size // 2
    probabilities[hard] = overconfident(rng, truth[hard])
    shares = np.where(hard, 0.05, 0.40)
    drawn = rng.random(truth.size) < shares
    weighted = calibrated(cases_of(probabilities[drawn], truth[drawn], shares[drawn]))
    plain = calibrated(cases_of(probabilities[drawn], truth[drawn]))
    fresh = rng.choice(truth.size, size=4_000, replace=False)
    covered = {
        name: np.mean([LABELS[truth[i]] in made.prediction_set(rows_of(probabilities[[i]])[0]) for i in fresh])
        for name, made in (("weighted", weighted), ("plain", plain))
    }
    assert covered["weighted"] == pytest.approx(0.9, abs=0.03)
    assert covered["plain"] < covered["weighted"] - 0.03


def test_each_class_allows_itself_fewer_misses_after_a_miss_and_more_after_hits() -> None:
    stream = [(Severity.HIGH, False)] * 3 + [(Severity.LOW, True)] * 10
    allowed = adapted_misses(stream, coverage=0.9)
    assert allowed[Severity.HIGH] < 0.1 < allowed[Severity.LOW]
    assert allowed[Severity.NONE] == pytest.approx(0.1)
    for covered, bound in ((False, FEWEST_MISSES), (True, MOST_MISSES)):
        assert adapted_misses([(Severity.LOW, covered)] * 999, coverage=0.9)[Severity.LOW] == pytest.approx(bound)


def test_adaptation_restores_the_coverage_that_a_drift_took() -> None:
    rng = np.random.default_rng(21)
    truth = rng.choice(4, size=1_200)
    cases = cases_of(random_probabilities(rng, truth), truth)
    later = rng.choice(4, size=1_500)
    drifted = overconfident(rng, later)
    fixed = calibrated(cases)
    stream: list[tuple[Severity, bool]] = []
    for row, label in zip(rows_of(drifted), later, strict=True):
        adaptive = TenantCalibration(fixed.classes, adapted_misses(stream, coverage=0.9))
        stream.append((LABELS[label], LABELS[label] in adaptive.prediction_set(row)))
    unmoved = [LABELS[label] in fixed.prediction_set(row) for row, label in zip(rows_of(drifted), later, strict=True)]
    settled = [covered for _, covered in stream[500:]]
    assert np.mean(unmoved) < 0.8
    assert np.mean(settled) > np.mean(unmoved) + 0.05
    assert np.mean(settled) == pytest.approx(0.9, abs=0.04)


def test_the_pipeline_says_whose_calibration_the_set_rests_on(tmp_path: Path) -> None:
    truth = np.repeat(np.arange(4), 60)
    cases = cases_of(random_probabilities(np.random.default_rng(2), truth), truth)
    sources = {}
    for name, calibration in (("own", calibrated(cases)), ("none", None)):
        opinion = run(
            make_dossier(tmp_path),
            chain=ProviderChain(()),
            measure=lambda path, *, on_progress: crash(),
            model=small_model(),
            calibration=calibration,
        )
        assert sum(opinion.severity.model_probabilities.values()) == pytest.approx(1.0, abs=1e-3)
        sources[name] = (opinion.severity.calibration_source, opinion.severity.calibrated)
    assert sources == {"own": ("TENANT", True), "none": ("RENDERED", True)}
