"""What a vision model says is held against the measurements, and can only raise the need for review."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiassist.assessment.vision import MAX_PICTURES, checked_vision, vision_request
from aiassist.gateway.schema import validated
from aiassist.gateway.types import ChainAnswer
from aiassist.gateway.vision_schema import VISION_SCHEMA
from aiassist.types import HazardKind, IntegrityCode, Keyframe, Scenario, Severity
from tests.aiassist.assessment.cases import (
    Answering,
    assess,
    crash,
    hazard,
    integrity_flag,
    make_dossier,
    statement,
    vision_answer,
)


def said(content: dict[str, object], *, provider: str = "openai") -> ChainAnswer:
    return ChainAnswer(validated(content, VISION_SCHEMA), provider, "m", "vision_v1", 1)


def check(content: dict[str, object], **changes: object) -> tuple[int, int, Severity | None]:
    """Return how many statements were kept, how many dropped, and the raised severity."""
    measured = crash(**changes)
    checked = checked_vision(said(content), measured, severity=Severity.LOW, scenario=Scenario.REAR_END)
    return len(checked.findings), checked.dropped, checked.raised_severity


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (statement(HazardKind.IMPACT, 5.0), True),
        (statement(HazardKind.IMPACT, 6.1), True),  # keyframes stand a second apart
        (statement(HazardKind.IMPACT_THIRD_PARTY, 5.0), True),  # the same collision, whoever was hit
        (statement(HazardKind.IMPACT, 7.0), False),  # nothing was measured there
        (statement(HazardKind.HORN, 5.0), False),  # another kind of event
        (statement(HazardKind.IMPACT, 5.0, certainty=0.3), False),  # the model itself doubts it
        (statement(HazardKind.IMPACT, 1.0, lasts=8.0), False),  # too long to say anything about an impact
    ],
)
def test_checked_vision_drops_and_counts_what_no_measurement_supports(row: dict[str, object], kept: bool) -> None:
    found, dropped, _ = check(vision_answer(row))
    assert (found, dropped) == ((1, 0) if kept else (0, 1))


def test_checked_vision_reads_a_reversed_range() -> None:
    row = statement(HazardKind.IMPACT, 5.0) | {"start_seconds": 5.3, "end_seconds": 4.9}
    assert check(vision_answer(row)) == (1, 0, None)


def test_checked_vision_raises_severity_only_on_a_supported_collision() -> None:
    supported = statement(HazardKind.IMPACT, 5.0)
    assert check(vision_answer(supported, severity="HIGH"))[1:] == (0, Severity.HIGH)
    assert check(vision_answer(severity="HIGH"))[1:] == (1, None)
    assert check(vision_answer(supported, severity="HIGH"), hazards=())[1:] == (2, None)


def test_checked_vision_never_lowers_severity() -> None:
    assert check(vision_answer(statement(HazardKind.IMPACT, 5.0), severity="NONE"))[1:] == (1, None)


def test_checked_vision_drops_another_scenario_and_view() -> None:
    assert check(vision_answer(scenario="HEAD_ON", view="OTHER"))[1] == 2
    flagged = (integrity_flag(IntegrityCode.NOT_DASHCAM),)
    assert check(vision_answer(scenario="REAR_END", view="OTHER"), integrity=flagged)[1] == 0


def test_checked_vision_takes_nothing_from_the_rules() -> None:
    answer = said(vision_answer(statement(HazardKind.IMPACT, 5.0)), provider="rules")
    checked = checked_vision(answer, crash(), severity=Severity.LOW, scenario=Scenario.REAR_END)
    assert (checked.findings, checked.dropped) == ((), 0)


def test_a_raised_severity_widens_the_set_and_keeps_the_label(tmp_path: Path) -> None:
    plain = assess(make_dossier(tmp_path), crash())
    alarmed = Answering(vision_answer(statement(HazardKind.IMPACT, 5.0), severity="HIGH"))
    opinion = assess(make_dossier(tmp_path), crash(), alarmed)
    assert opinion.severity.label is plain.severity.label
    assert Severity.HIGH in opinion.severity.prediction_set
    assert set(opinion.severity.prediction_set) > set(plain.severity.prediction_set)


def test_vision_request_carries_facts_but_neither_name_nor_reference(tmp_path: Path) -> None:
    dossier = make_dossier(tmp_path, name="secret-name.mp4", description="Sam drove.")
    request = vision_request(dossier, crash(hazards=(hazard(HazardKind.IMPACT),)))
    told = repr(request)
    assert "secret-name" not in told
    assert "CLM-1" not in told
    assert "acme" not in told
    assert "Sam drove." not in request.instructions
    assert request.prompt_version == "vision_v1"


def test_vision_request_spreads_its_pictures_over_the_clip(tmp_path: Path) -> None:
    many = tuple(Keyframe(float(at), b"x") for at in range(40))
    pictures = vision_request(make_dossier(tmp_path), crash(keyframes=many)).pictures
    assert len(pictures) == MAX_PICTURES
    assert (pictures[0].at_seconds, pictures[-1].at_seconds) == (0.0, 39.0)
