"""Writes of the monitoring's stream: what was seen of a claim, then what a person decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID

from aiassist.models import Observation


@dataclass(frozen=True)
class Observed:
    """One assessment as monitoring keeps it; `groups` maps attributes to short codes, never words about a person."""

    assessment_id: UUID
    observed_at: datetime
    outcome: str
    severity: str
    fraud_risk_score: float
    fraud_flagged: bool
    provider_name: str
    provider_model: str
    model_version: str
    degraded: bool
    probabilities: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    repeated: bool = False
    backfilled: bool = False


@dataclass(frozen=True)
class HumanAnswer:
    """What a person decided; `severity` is theirs, which is the AI's where they left it, empty where there was none."""

    assessment_id: UUID
    decided_at: datetime
    decision: str
    severity: str
    fault_overridden: bool
    fraud_overridden: bool


def record_observation(observed: Observed) -> None:
    """Keep what was seen, inside the caller's transaction. Writes Observation, once per assessment."""
    Observation.objects.create(**_columns(observed))


def record_observations(many: Iterable[Observed]) -> int:
    """Keep older ones and return how many were new: those that are there already stay as they are."""
    rows = [Observation(**_columns(observed)) for observed in many]
    before = Observation.objects.filter(assessment_id__in=[row.assessment_id for row in rows]).count()
    Observation.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows) - before


def record_human_answer(answer: HumanAnswer) -> None:
    """Put the decision beside what the AI had said, inside the caller's transaction; a later decision replaces it.

    Does nothing for an assessment from before observations were kept: `fill_observations` brings both. Writes
    Observation.
    """
    Observation.objects.filter(assessment_id=answer.assessment_id).update(
        decided_at=answer.decided_at,
        decision=answer.decision,
        human_severity=answer.severity,
        fault_overridden=answer.fault_overridden,
        fraud_overridden=answer.fraud_overridden,
    )


def forget_groups(assessment_ids: Iterable[UUID]) -> None:
    """Take the group labels away: they came from what was told, and go with it. Writes Observation."""
    Observation.objects.filter(assessment_id__in=list(assessment_ids)).update(groups={})


def _columns(observed: Observed) -> dict[str, object]:
    columns = asdict(observed)
    for name in ("probabilities", "features"):
        columns[name] = {key: round(float(value), 6) for key, value in columns[name].items()}
    return columns
