"""The learned model: it learns what is there, gives honest probabilities, and writes what it can read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from aiassist.assessment.features import severity_features
from aiassist.assessment.logistic import best_temperature, fit, log_loss
from aiassist.assessment.severity import LABELS, load_model, squeezed
from aiassist.assessment.training import Case, train_severity, write_model
from aiassist.types import HazardKind, Severity
from tests.aiassist.assessment.cases import crash, hazard, with_features


def drawn_cases(seed: int, count: int = 200) -> list[Case]:
    """Clips whose jolt grows with severity, beside a feature that says nothing and one that never changes."""
    rng = np.random.default_rng(seed)
    cases = []
    for index in range(count):
        label = LABELS[index % 4]
        jolt = float(np.expm1(1.2 * LABELS.index(label) + rng.normal(0, 0.45)))
        cases.append(Case({"jolt": jolt, "noise": float(rng.normal()), "still": 1.0}, label))
    return cases


def test_train_severity_learns_the_feature_that_matters() -> None:
    model = train_severity(drawn_cases(1), drawn_cases(2)).model
    fresh = drawn_cases(3)
    guesses = [max(LABELS, key=model.probabilities(case.features).__getitem__) for case in fresh]
    right = sum(guess is case.severity for guess, case in zip(guesses, fresh, strict=True))
    assert right / len(fresh) > 0.75
    assert [scale.name for scale in model.scales] == ["jolt", "noise"], "what never varies is not read"
    jolt, noise = np.abs(model.weights).max(axis=0)
    assert jolt > 5 * noise


def test_train_severity_gives_probabilities_that_come_true() -> None:
    model = train_severity(drawn_cases(1, 400), drawn_cases(2)).model
    fresh = drawn_cases(4, 400)
    confidences = [max(model.probabilities(case.features).values()) for case in fresh]
    right = [max(LABELS, key=model.probabilities(case.features).__getitem__) is case.severity for case in fresh]
    assert abs(float(np.mean(confidences)) - float(np.mean(right))) < 0.06


def test_train_severity_is_the_same_every_time() -> None:
    first, second = (train_severity(drawn_cases(1), drawn_cases(2)).model for _ in range(2))
    assert first.weights.tolist() == second.weights.tolist()
    assert first.calibration == second.calibration


def test_write_model_is_read_back_unchanged(tmp_path: Path) -> None:
    model = train_severity(drawn_cases(1), drawn_cases(2)).model
    path = tmp_path / "model.json"
    write_model(model, path, trained={"clips": 200})
    read = load_model(path)
    features = drawn_cases(9)[2].features
    assert read.probabilities(features) == model.probabilities(features)
    assert read.calibration == model.calibration
    assert json.loads(path.read_text())["trained"] == {"clips": 200}


def test_fit_finds_the_known_odds_of_two_classes() -> None:
    rows = np.array([[1.0]] * 80 + [[0.0]] * 80)
    labels = np.array([1] * 60 + [0] * 20 + [1] * 20 + [0] * 60)
    fitted = fit(rows, labels, classes=2, strength=1e-6, case_weights=np.ones(160))
    odds = fitted.logits(np.array([[1.0], [0.0]]))
    assert np.allclose(odds[:, 1] - odds[:, 0], [np.log(3), -np.log(3)], atol=1e-4)


def test_best_temperature_cools_a_model_that_is_too_sure() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(size=(4000, 4)) * 1.5
    shares = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(4, p=row) for row in shares])
    assert abs(best_temperature(honest * 3.0, labels) - 3.0) < 0.3
    assert log_loss(honest, labels) < log_loss(honest * 3.0, labels)


def test_severity_features_leave_out_what_gives_rendered_clips_away() -> None:
    features = severity_features(with_features(crash(), impact_seconds=6.0, mean_luma=90.0, odd=float("nan")))
    assert not {"impact_seconds", "mean_luma", "odd"} & set(features)
    assert features["hazard_impact_score"] == 0.9
    assert severity_features(crash(hazards=(hazard(HazardKind.HORN),)))["hazard_impact_score"] == 0.0


def test_severity_features_do_not_tell_left_from_right() -> None:
    left, right = (severity_features(with_features(crash(), impact_sideways_px=px)) for px in (-2.5, 2.5))
    assert left == right
    assert left["impact_sideways_size_px"] == 2.5


def test_severity_features_measure_the_change_of_speed_on_the_road() -> None:
    slowed = with_features(crash(), impact_speed_before=1.0, impact_speed_after=0.25, usual_ground_flow=8.0)
    assert severity_features(slowed)["impact_speed_step"] == -6.0
    assert "impact_speed_step" not in severity_features(crash())


def test_squeezed_keeps_sign_and_order() -> None:
    values = [squeezed(value) for value in (-1000.0, -1.0, 0.0, 1.0, 1000.0)]
    assert values == sorted(values)
    assert values[0] == -values[4]


def test_a_missing_feature_counts_as_average_and_is_reported() -> None:
    model = train_severity(drawn_cases(1), drawn_cases(2)).model
    assert model.unfamiliar_features({"jolt": 1.0}) == ("noise",)
    assert sum(model.probabilities({}).values()) == 1.0 or abs(sum(model.probabilities({}).values()) - 1.0) < 1e-9
    assert set(model.probabilities({})) == set(Severity)
