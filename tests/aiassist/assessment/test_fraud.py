"""The fraud scorecard is transparent: coded indicators with times, joined without ever reaching certainty."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiassist.assessment.fraud import WEIGHTS, copy_findings, fraud_opinion
from aiassist.types import EvidenceStage, IntegrityCode
from tests.aiassist.assessment.cases import FACTS, copy_of, integrity_flag, make_dossier


def test_fraud_opinion_of_a_clean_file_is_zero(tmp_path: Path) -> None:
    opinion = fraud_opinion(make_dossier(tmp_path), ())
    assert (opinion.score, opinion.indicators) == (0.0, ())


@pytest.mark.parametrize("code", list(IntegrityCode))
def test_fraud_opinion_gives_every_code_its_weight_and_times(tmp_path: Path, code: IntegrityCode) -> None:
    opinion = fraud_opinion(make_dossier(tmp_path), [integrity_flag(code)])
    assert [(found.code, found.weight) for found in opinion.indicators] == [(code.value, WEIGHTS[code])]
    assert opinion.score == WEIGHTS[code]
    assert "3.00–3.50 s" in opinion.indicators[0].detail
    assert "threshold 0.5" in opinion.indicators[0].detail


def test_fraud_opinion_joins_reasons_without_reaching_certainty(tmp_path: Path) -> None:
    dossier = make_dossier(tmp_path, known_copies=(copy_of(),))
    opinion = fraud_opinion(dossier, [integrity_flag(code) for code in IntegrityCode])
    assert max(WEIGHTS.values()) < opinion.score < 1.0
    weights = [found.weight for found in opinion.indicators]
    assert weights == sorted(weights, reverse=True)


def test_fraud_opinion_lets_repeats_of_one_sign_count_less(tmp_path: Path) -> None:
    cut = IntegrityCode.EDIT_CUT
    one = fraud_opinion(make_dossier(tmp_path), [integrity_flag(cut)]).score
    two = fraud_opinion(make_dossier(tmp_path), [integrity_flag(cut), integrity_flag(cut, 7.0)])
    assert one < two.score < 2 * one
    assert len(two.indicators) == 1
    assert "7.00" in two.indicators[0].detail


def test_fraud_opinion_names_the_other_claim(tmp_path: Path) -> None:
    opinion = fraud_opinion(make_dossier(tmp_path, known_copies=(copy_of(),)), ())
    assert "CLM-7" in opinion.indicators[0].detail
    assert opinion.score == WEIGHTS[IntegrityCode.DUPLICATE_VIDEO]


def test_copy_findings_hold_the_distance_against_its_threshold(tmp_path: Path) -> None:
    found = copy_findings(make_dossier(tmp_path, known_copies=(copy_of(),)), FACTS)[0]
    assert (found.stage, found.value, found.threshold, found.end_seconds) == (EvidenceStage.FRAUD, 0.0, 0.1, 10.0)
