"""The vision stage: asks the provider chain, and keeps of its answer only what a measurement supports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiassist.assessment.facts import measured_facts
from aiassist.gateway.types import ChainAnswer, JsonObject, VisionRequest
from aiassist.gateway.vision_schema import UNSURE, VISION_ANSWER_NAME, VISION_SCHEMA
from aiassist.prompts import prompt_text
from aiassist.types import (
    Dossier,
    EvidenceStage,
    Finding,
    Hazard,
    HazardKind,
    IntegrityCode,
    Keyframe,
    Measurements,
    Scenario,
    Severity,
)

PROMPT_VERSION = "vision_v1"
MAX_PICTURES = 12  # at 85 tokens each (OpenAI, low detail) about a thousand tokens of pictures

# Keyframes stand about a second apart, so a model cannot place an event better than this.
TIME_TOLERANCE_SECONDS = 1.0
# A statement that spans much more than the measured event says nothing about it.
MAX_STATEMENT_SECONDS = 6.0
MIN_CERTAINTY = 0.5  # below it the model itself thinks it more likely wrong than right

# Statements are held against events of the same family: a model that sees "a crash" where an impact was measured is
# supported, whoever it thinks was hit.
_FAMILIES: Final[Mapping[HazardKind, str]] = {
    HazardKind.IMPACT: "collision",
    HazardKind.IMPACT_THIRD_PARTY: "collision",
    HazardKind.AUDIO_BANG: "collision",
    HazardKind.HARD_BRAKE: "braking",
    HazardKind.SKID: "braking",
    HazardKind.NEAR_MISS: "braking",
    HazardKind.HORN: "horn",
    HazardKind.POTHOLE: "road",
}
_ORDER: Final = tuple(Severity)


@dataclass(frozen=True)
class CheckedVision:
    """What is left of a vision answer.

    `raised_severity` is a severity above the measured one that a measured impact supports; it can only widen the
    prediction set. `dropped` counts what no measurement supports.
    """

    findings: tuple[Finding, ...] = ()
    raised_severity: Severity | None = None
    dropped: int = 0


def vision_request(dossier: Dossier, measurements: Measurements) -> VisionRequest:
    """Put the question together; the claimant's words go in as data only, the file's name not at all."""
    return VisionRequest(
        instructions=prompt_text(PROMPT_VERSION),
        prompt_version=PROMPT_VERSION,
        measured=measured_facts(measurements),
        claimant_text=dossier.description,
        pictures=_spread(measurements.keyframes),
        answer_schema=VISION_SCHEMA,
        answer_name=VISION_ANSWER_NAME,
    )


def _spread(keyframes: tuple[Keyframe, ...]) -> tuple[Keyframe, ...]:
    """Take at most MAX_PICTURES, evenly over those there are."""
    if len(keyframes) <= MAX_PICTURES:
        return keyframes
    last = len(keyframes) - 1
    return tuple(keyframes[round(step * last / (MAX_PICTURES - 1))] for step in range(MAX_PICTURES))


def checked_vision(
    answer: ChainAnswer, measurements: Measurements, *, severity: Severity, scenario: Scenario
) -> CheckedVision:
    """Hold every statement of a model against the measurements; the rules' own answer adds nothing to check."""
    if not answer.from_model:
        return CheckedVision()
    findings: list[Finding] = []
    dropped = 0
    for statement in _statements(answer.content):
        supported = _supporting(statement, measurements.hazards)
        if supported is None or statement.score < MIN_CERTAINTY:
            dropped += 1
        else:
            findings.append(_finding(statement))
    raised = _raised(answer.content, measured=severity, collision_seen=_has_collision(findings))
    dropped += sum(
        (
            _claims_other_severity(answer.content, severity) and raised is None,
            _claims_other_scenario(answer.content, scenario),
            _claims_other_view(answer.content, measurements),
        )
    )
    return CheckedVision(findings=tuple(findings), raised_severity=raised, dropped=dropped)


def _statements(content: JsonObject) -> Iterable[Hazard]:
    """Read the statements as hazards; the schema was checked by the chain."""
    rows = content["statements"]
    assert isinstance(rows, list)
    for row in rows:
        start, end = sorted((float(row["start_seconds"]), float(row["end_seconds"])))
        yield Hazard(HazardKind(row["kind"]), start, end, float(row["certainty"]), "vision")


def _supporting(statement: Hazard, measured: tuple[Hazard, ...]) -> Hazard | None:
    """Return the measured event of the same family at the same time, if there is one."""
    if statement.end_seconds - statement.start_seconds > MAX_STATEMENT_SECONDS:
        return None
    return next(
        (
            hazard
            for hazard in measured
            if _FAMILIES[hazard.kind] == _FAMILIES[statement.kind]
            and statement.start_seconds <= hazard.end_seconds + TIME_TOLERANCE_SECONDS
            and statement.end_seconds >= hazard.start_seconds - TIME_TOLERANCE_SECONDS
        ),
        None,
    )


def _finding(statement: Hazard) -> Finding:
    return Finding(
        kind=statement.kind.value,
        stage=EvidenceStage.VISION,
        measure="statement_certainty",
        value=statement.score,
        threshold=MIN_CERTAINTY,
        start_seconds=statement.start_seconds,
        end_seconds=statement.end_seconds,
        at_seconds=round((statement.start_seconds + statement.end_seconds) / 2, 3),
    )


def _has_collision(findings: Iterable[Finding]) -> bool:
    return any(_FAMILIES[HazardKind(finding.kind)] == "collision" for finding in findings)


def _raised(content: JsonObject, *, measured: Severity, collision_seen: bool) -> Severity | None:
    """Return the model's severity where it is above the measured one and a supported collision stands behind it."""
    claimed = content["severity"]
    if claimed == UNSURE or not collision_seen:
        return None
    severity = Severity(str(claimed))
    return severity if _ORDER.index(severity) > _ORDER.index(measured) else None


def _claims_other_severity(content: JsonObject, measured: Severity) -> bool:
    return content["severity"] not in (UNSURE, measured.value)


def _claims_other_scenario(content: JsonObject, measured: Scenario) -> bool:
    return content["scenario"] not in (Scenario.UNKNOWN.value, measured.value)


def _claims_other_view(content: JsonObject, measurements: Measurements) -> bool:
    flagged = any(flag.code is IntegrityCode.NOT_DASHCAM for flag in measurements.integrity)
    return content["view"] == "OTHER" and not flagged
