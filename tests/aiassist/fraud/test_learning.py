"""The learner: its plain-number models equal the library's, it looks at no later case, and it repeats to the byte."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from aiassist.fraud.encoding import encoder_from, fitted_encoder
from aiassist.fraud.forms import form_from
from aiassist.fraud.gate import refusals
from aiassist.fraud.groups import group_shares, verdict
from aiassist.fraud.learning import Boosting, Logistic
from aiassist.fraud.measures import SEED, auc_difference, ranking_of
from aiassist.fraud.scoring import LEARNED_CODE, MOST_WEIGHT, WEIGHT_AT_CUT, fraud_model_from
from aiassist.fraud.table import CaseTable
from aiassist.fraud.training import TooLittleHistory, Trained, train_fraud_model
from tests.aiassist.fraud.cases import pattern_table

FAST = (Logistic(0.1), Boosting(depth=2, rate=0.1, trees=20))


def trained_on(table: CaseTable, share: float = 0.7) -> Trained:
    edge = int(len(table) * share)
    return train_fraud_model(table.part(0, edge), table.part(edge, len(table)), version="fraud-1", candidates=FAST)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return trained_on(pattern_table(600))


@pytest.mark.parametrize("candidate", [Logistic(0.1), Boosting(depth=3, rate=0.05, trees=40)], ids=str)
def test_a_model_in_plain_numbers_says_what_the_library_says(candidate: Any) -> None:
    table = pattern_table(500)
    matrix = fitted_encoder(table.rows).matrix(table.rows)
    library: Any = (
        LogisticRegression(C=candidate.strength, max_iter=2_000)
        if isinstance(candidate, Logistic)
        else GradientBoostingClassifier(
            max_depth=3, learning_rate=0.05, n_estimators=40, subsample=0.7, max_features=0.5, min_samples_leaf=20,
            random_state=SEED,
        )
    )  # fmt: skip
    expected = library.fit(matrix, table.labels).predict_proba(matrix)[:, 1]
    form = form_from(json.loads(json.dumps(candidate.fitted(matrix, table.labels).document())))
    log_odds = form.log_odds(matrix)
    assert np.allclose(1 / (1 + np.exp(-log_odds)), expected, atol=1e-9)


@pytest.mark.parametrize("candidate", FAST, ids=str)
def test_the_reasons_of_a_score_sum_up_to_it(candidate: Any) -> None:
    table = pattern_table(400)
    matrix = fitted_encoder(table.rows).matrix(table.rows)
    form = candidate.fitted(matrix, table.labels)
    differences = form.log_odds(matrix[:20]) - np.array([form.contributions(line).sum() for line in matrix[:20]])
    assert np.allclose(differences, differences[0])


def test_a_stored_encoder_reads_a_case_as_the_fitted_one_did() -> None:
    table = pattern_table(300)
    encoder = fitted_encoder(table.rows)
    again = encoder_from(json.loads(json.dumps(encoder.document())))
    odd = [{"channel": "carrier pigeon", "report_delay_hours": None}, {}]
    for rows in (table.rows, odd):
        assert np.array_equal(encoder.matrix(rows), again.matrix(rows))


def test_training_twice_gives_the_same_bytes(trained: Trained) -> None:
    again = trained_on(pattern_table(600))
    assert json.dumps(again.model.document()) == json.dumps(trained.model.document())
    assert again.test == trained.test


def test_later_cases_take_no_part_in_the_model(trained: Trained) -> None:
    table = pattern_table(600)
    edge = int(len(table) * 0.7)
    upside_down = table.part(edge, len(table))
    upside_down = CaseTable(upside_down.rows, ~upside_down.labels, upside_down.moments, upside_down.baseline)
    other = train_fraud_model(table.part(0, edge), upside_down, version="fraud-1", candidates=FAST)
    assert other.model.document() == trained.model.document()
    assert other.test.auc.value < 0.5 < trained.test.auc.value


def test_a_pattern_is_found_and_noise_is_not(trained: Trained) -> None:
    noise = trained_on(pattern_table(600, skill=0.0))
    assert trained.test.auc.low > 0.6
    assert noise.test.auc.low < 0.5 < noise.test.auc.high
    assert [refusal.code for refusal in refusals(trained)] == []
    assert "not_above_chance" in {refusal.code for refusal in refusals(noise)}


def test_a_model_that_adds_nothing_to_the_scorecard_is_refused() -> None:
    table = pattern_table(600, skill=0.0)
    knows = CaseTable(table.rows, table.labels, table.moments, np.where(table.labels, 0.6, 0.05))
    assert "not_above_scorecard" in {refusal.code for refusal in refusals(trained_on(knows))}


def test_too_little_history_is_refused_before_training() -> None:
    with pytest.raises(TooLittleHistory):
        trained_on(pattern_table(30))


def test_an_indicator_has_a_weight_on_the_scorecards_scale_and_its_reasons(trained: Trained) -> None:
    model = fraud_model_from(json.loads(json.dumps(trained.model.document())), version="fraud-1")
    odd = model.indicator({"report_delay_hours": 400.0, "policy_age_days": 20.0, "channel": "broker"})
    assert odd is not None and odd.code == LEARNED_CODE
    assert WEIGHT_AT_CUT <= odd.weight <= MOST_WEIGHT
    assert "policy age days 20 (+" in odd.detail and "fraud-1" in odd.detail
    assert model.indicator({"report_delay_hours": 1.0, "policy_age_days": 900.0, "description_words": 40.0}) is None


def test_the_weight_is_nothing_at_the_base_rate_and_six_tenths_at_the_cut(trained: Trained) -> None:
    model = trained.model
    weights = model.weights(np.array([model.usual_log_odds, model.cut_log_odds, 99.0, -99.0]))
    assert weights.tolist() == pytest.approx([0.0, WEIGHT_AT_CUT, MOST_WEIGHT, 0.0])


@pytest.mark.parametrize("levels", [3, 50, 10_000])
def test_the_figures_are_the_librarys_also_with_ties(levels: int) -> None:
    labels = pattern_table(400).labels
    scores = (np.random.default_rng(3).integers(0, levels, 400) + levels // 3 * labels).astype(np.float64)
    ranking = ranking_of(labels, scores)
    assert ranking.auc.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-4)
    assert ranking.average_precision.value == pytest.approx(average_precision_score(labels, scores), abs=1e-4)


def test_an_interval_holds_its_figure_and_a_score_beats_its_opposite() -> None:
    table = pattern_table(300)
    scores = np.where(table.labels, 1.0, 0.0) + np.arange(300, dtype=np.float64) % 7
    ranking = ranking_of(table.labels, scores)
    assert ranking.auc.low <= ranking.auc.value <= ranking.auc.high
    assert auc_difference(table.labels, scores, -scores).low > 0


def test_the_four_fifths_rule_judges_both_outcomes_and_no_small_group() -> None:
    people = ["a"] * 400 + ["b"] * 400 + ["c"] * 29
    flags = np.array([i % 10 == 0 for i in range(400)] + [i % 5 == 0 for i in range(400)] + [True] * 29)
    by_name = {share.group: share for share in group_shares(flags, {"area": people})}
    a, b, c = by_name["a"], by_name["b"], by_name["c"]
    assert a.flagged_ratio is not None and a.flagged_ratio.value == 0.5
    assert verdict(a.flagged_ratio, a.people) == "fails"
    assert b.cleared_ratio is not None and b.cleared_ratio.value == pytest.approx(0.889, abs=1e-3)
    assert verdict(b.cleared_ratio, b.people) == "passes"
    assert (c.flagged_ratio, verdict(c.flagged_ratio, c.people)) == (None, "insufficient")
