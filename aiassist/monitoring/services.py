"""Writes of the monitoring: what a blind person says becomes a calibration case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiassist.models import CalibrationCase
from aiassist.types import Severity


@dataclass(frozen=True)
class AuditedOpinion:
    """The opinion whose claim was drawn, in plain values: what it said, and which model said it."""

    assessment_id: UUID
    model_version: str
    probabilities: Mapping[str, float]
    prediction_set: Sequence[str]
    coverage_target: float
    calibration_source: str


def record_calibration_case(
    *,
    opinion: AuditedOpinion,
    true_label: Severity | None,
    inclusion_probability: float,
    drawn_at: datetime,
    now: datetime,
) -> CalibrationCase:
    """Keep a person's blind label beside what the AI had said, inside the caller's transaction.

    None, for what cannot be told from the video, is kept too: cases that nobody can judge limit every figure.
    Writes CalibrationCase, once per assessment.
    """
    case: CalibrationCase = CalibrationCase.objects.create(
        assessment_id=opinion.assessment_id,
        model_version=opinion.model_version,
        probabilities=dict(opinion.probabilities),
        prediction_set=list(opinion.prediction_set),
        coverage_target=opinion.coverage_target,
        calibration_source=opinion.calibration_source,
        true_label=true_label or "",
        inclusion_probability=inclusion_probability,
        drawn_at=drawn_at,
        labelled_at=now,
    )
    return case
