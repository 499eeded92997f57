"""The 80 % rule: both outcomes, intervals that hold together, and noise that is not called bias."""

from __future__ import annotations

import numpy as np

from aiassist.monitoring.bias import BiasState, DecidedClaim, Outcome, bias_report


def claims(attribute: str, group: str, approved: int, rejected: int, *, agreed: float = 1.0) -> list[DecidedClaim]:
    total = approved + rejected
    return [
        DecidedClaim({attribute: group}, place < approved, False, place * 7919 % total < agreed * total)
        for place in range(total)
    ]


def test_both_outcomes_are_asked_and_the_best_treated_group_is_the_measure() -> None:
    report = bias_report([*claims("channel", "A", 180, 20), *claims("channel", "B", 100, 100)])
    found = {(one.group, one.outcome): one for one in report.impacts}
    worse = found["B", Outcome.APPROVED]
    assert worse.impact is not None and round(worse.impact.value, 3) == round(0.5 / 0.9, 3)
    assert (worse.state, worse.level, worse.against) == (BiasState.DISPARATE, "MODERATE", "A")
    rejected = found["B", Outcome.REJECTED]
    assert rejected.impact is not None and round(rejected.impact.value, 3) == 0.2
    assert (rejected.state, rejected.level) == (BiasState.DISPARATE, "SEVERE")
    assert found["A", Outcome.APPROVED].state is found["A", Outcome.FRAUD_FLAGGED].state is BiasState.FAIR


def test_a_small_group_says_nothing_and_a_lone_one_is_left_out() -> None:
    report = bias_report([*claims("channel", "A", 180, 20), *claims("channel", "B", 0, 29)])
    assert {one.state for one in report.impacts if one.group == "B"} == {BiasState.NOT_ENOUGH}
    assert all(one.rate is None for one in report.impacts if one.group == "B")
    assert bias_report(claims("channel", "A", 100, 0)).impacts == ()
    assert bias_report([]).impacts == ()


def test_what_may_be_chance_is_said_so() -> None:
    report = bias_report([*claims("channel", "A", 36, 4), *claims("channel", "B", 28, 12)])
    found = {(one.group, one.outcome): one.state for one in report.impacts}
    assert found["B", Outcome.APPROVED] is BiasState.UNSURE


def test_accuracy_disparity_needs_a_gap_and_an_interval() -> None:
    report = bias_report([*claims("light", "DAY", 300, 0, agreed=0.9), *claims("light", "DARK", 200, 0, agreed=0.6)])
    found = {one.group: one for one in report.accuracies}
    assert (found["DARK"].state, found["DARK"].level) == (BiasState.DISPARATE, "SEVERE")
    assert found["DAY"].state is BiasState.FAIR


def test_noise_is_called_bias_in_at_most_five_of_a_hundred_reports() -> None:
    source = np.random.default_rng(11)
    alarms = 0
    for _ in range(150):
        groups = [
            {"a": str(source.integers(4)), "b": str(source.integers(3)), "c": str(source.integers(2))}
            for _ in range(300)
        ]
        drawn = [
            DecidedClaim(told, bool(source.random() < 0.8), bool(source.random() < 0.1), bool(source.random() < 0.85))
            for told in groups
        ]
        alarms += bool(bias_report(drawn).disparate)
    assert alarms <= 150 * 0.05
