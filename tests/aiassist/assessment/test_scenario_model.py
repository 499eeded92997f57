"""The scenario model learns what is there, and names nothing that the measured events do not allow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aiassist.assessment.features import scenario_features
from aiassist.assessment.scenario_model import (
    HEARD_ONLY,
    NEARLY_STRUCK,
    STRUCK,
    UNTOUCHED,
    learned_reading,
    load_scenario_model,
    possible_scenarios,
)
from aiassist.assessment.scenario_training import LABELS, ScenarioCase, train_scenario, write_scenario_model
from aiassist.assessment.scene import scene_of
from aiassist.types import HazardKind, Measurements, Scenario
from tests.aiassist.assessment.cases import calm, crash, hazard, with_features


def drawn_cases(seed: int, count: int = 140) -> list[ScenarioCase]:
    """Clips whose change of speed tells the scenario, beside the features of a hand-made crash."""
    rng = np.random.default_rng(seed)
    cases = []
    for index in range(count):
        label = LABELS[index % len(LABELS)]
        features = scenario_features(with_features(crash(), impact_speed_change_ratio=float(rng.normal(0, 0.03))))
        told = float(np.expm1(0.4 * LABELS.index(label) + rng.normal(0, 0.03)))
        cases.append(ScenarioCase({**features, "told": told}, label))
    return cases


@pytest.mark.parametrize(
    ("measured", "possible"),
    [
        (crash(), STRUCK),
        (crash(hazards=(hazard(HazardKind.IMPACT_THIRD_PARTY),)), (Scenario.THIRD_PARTY,)),
        (crash(hazards=(hazard(HazardKind.NEAR_MISS), hazard(HazardKind.HORN))), NEARLY_STRUCK),
        (crash(hazards=(hazard(HazardKind.HARD_BRAKE),)), UNTOUCHED),
        (crash(hazards=(hazard(HazardKind.AUDIO_BANG),)), HEARD_ONLY),
        (crash(hazards=(hazard(HazardKind.HORN),)), (Scenario.NO_EVENT,)),
        (calm(), (Scenario.NO_EVENT,)),
    ],
)
def test_only_what_the_measured_events_allow_is_possible(
    measured: Measurements, possible: tuple[Scenario, ...]
) -> None:
    assert possible_scenarios(measured, scene_of(measured)) == possible


def test_train_scenario_learns_the_feature_that_matters_and_is_read_back_unchanged(tmp_path: Path) -> None:
    trained = train_scenario(drawn_cases(1))
    assert trained.cross_validated_accuracy > 0.9
    path = tmp_path / "scenario.json"
    write_scenario_model(trained.model, path, trained={"clips": 140})
    read = load_scenario_model(path)
    for case in drawn_cases(2, len(LABELS)):
        shares = read.shares(case.features, LABELS)
        assert shares == trained.model.shares(case.features, LABELS)
        assert sum(shares.values()) == pytest.approx(1.0)
        assert max(shares, key=shares.__getitem__) is case.scenario


def test_the_model_says_nothing_about_a_video_unlike_the_training_set() -> None:
    model = load_scenario_model()
    assert learned_reading(crash(), scene_of(crash()), model) is None, "features are missing"
    known = {scale.name: float(np.sign(scale.mean) * np.expm1(abs(scale.mean))) for scale in model.scales}
    assert model.knows(known)
    assert not model.knows({**known, "impact_jolt_px": 1e9})


def test_the_bundled_model_never_reads_an_impact_as_none() -> None:
    model = load_scenario_model()
    known = {scale.name: float(np.sign(scale.mean) * np.expm1(abs(scale.mean))) for scale in model.scales}
    assert set(model.shares(known, STRUCK)) == set(STRUCK)
