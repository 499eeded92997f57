"""The summary is made of measured facts alone."""

from __future__ import annotations

from pathlib import Path

from aiassist.types import EvidenceStage, Finding, HazardKind, IntegrityCode, Severity
from tests.aiassist.assessment.cases import (
    Answering,
    assess,
    calm,
    crash,
    hazard,
    impact_finding,
    integrity_flag,
    make_dossier,
    small_model,
    statement,
    vision_answer,
    with_features,
)


def test_summary_names_events_with_times_and_values(tmp_path: Path) -> None:
    summary = assess(make_dossier(tmp_path), crash(degraded=("detector_weights",))).summary
    assert "lasts 10.0 s (640×360, 25 pictures per second, with sound)" in summary
    assert "An impact on the insured vehicle at 5.1 s (score 0.90, impact value 2.2 against 1)." in summary
    assert "Scenario REAR_END" in summary
    assert "Not measured: detector weights." in summary


def test_summary_cites_what_passed_its_threshold_and_no_strongest_moment(tmp_path: Path) -> None:
    moment = Finding("strongest_change_of_others", EvidenceStage.MOTION, "slow_camera_jump_z", 0.1, 10.0, 4.9, 5.4, 5.1)
    summary = assess(make_dossier(tmp_path), crash(findings=(moment, impact_finding()))).summary
    assert "An impact on the insured vehicle at 5.1 s (score 0.90, impact value 2.2 against 1)." in summary


def test_summary_says_that_no_class_fits(tmp_path: Path) -> None:
    strict = small_model(calibration={label: tuple([0.0001] * 50) for label in Severity})
    opinion = assess(make_dossier(tmp_path), with_features(crash(), harm=2.4), model=strict)
    assert opinion.severity.prediction_set == ()
    assert "; none of the four classes fits." in opinion.summary


def test_summary_of_a_calm_drive_says_so(tmp_path: Path) -> None:
    summary = assess(make_dossier(tmp_path), calm()).summary
    assert "No dangerous event was measured." in summary
    assert "No sign of manipulation was found." in summary


def test_summary_names_signs_of_manipulation(tmp_path: Path) -> None:
    summary = assess(make_dossier(tmp_path), calm(integrity=(integrity_flag(IntegrityCode.EDIT_CUT),))).summary
    assert "Signs to look at: edit_cut (risk score 0.35)." in summary


def test_summary_repeats_nothing_that_was_written_or_said(tmp_path: Path) -> None:
    model = Answering(vision_answer(statement(HazardKind.HORN, 1.0), severity="HIGH", scenario="HEAD_ON"))
    summary = assess(make_dossier(tmp_path, description="Zoe pays"), crash(), model).summary
    assert "Zoe" not in summary
    assert "HEAD_ON" not in summary
    assert "horn" not in summary


def test_summary_stays_short_when_there_is_much(tmp_path: Path) -> None:
    many = tuple(hazard(HazardKind.HORN, float(at)) for at in range(30))
    assert assess(make_dossier(tmp_path), calm(hazards=many)).summary.count("A horn at") == 6
