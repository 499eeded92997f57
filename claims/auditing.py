"""What the review desk may do with the engine's calibration: hand a blind label down to it."""

from __future__ import annotations

from datetime import datetime

from aiassist.monitoring.services import AuditedOpinion, record_calibration_case
from aiassist.types import Outcome, Severity
from claims.models import Assessment


def is_auditable(assessment: Assessment) -> bool:
    """Tell whether a person's label says anything about this opinion: it must have ruled something in or out."""
    return assessment.outcome == Outcome.ASSESSED and set(assessment.model_probabilities) == set(Severity)


def record_audited_label(
    *,
    assessment: Assessment,
    true_label: Severity | None,
    inclusion_probability: float,
    drawn_at: datetime,
    now: datetime,
) -> None:
    """Keep the label beside what the AI had said, inside the caller's transaction."""
    opinion = AuditedOpinion(
        assessment_id=assessment.id,
        model_version=assessment.model_version,
        probabilities=assessment.model_probabilities,
        prediction_set=assessment.prediction_set,
        coverage_target=assessment.coverage_target,
        calibration_source=assessment.calibration_source,
    )
    record_calibration_case(
        opinion=opinion,
        true_label=true_label,
        inclusion_probability=inclusion_probability,
        drawn_at=drawn_at,
        now=now,
    )
