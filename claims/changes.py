"""What a newer opinion says differently, field by field. Pure: two assessments in, plain values out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from claims.models import Assessment
from claims.records import ChangeRecord, HazardRecord

# Finer differences are the arithmetic of the same finding: a hazard that moved by less is the same moment to a person.
_HAZARD_DECIMALS = 1
_SHARE_DECIMALS = 2
_PERCENT_DECIMALS = 1


def changes_between(before: Assessment, after: Assessment) -> list[ChangeRecord]:
    """Return the fields a reviewer judges by, and who computed them, where the two differ; in a fixed order."""
    pairs = ((field, read(before), read(after)) for field, read in _FIELDS.items())
    return [ChangeRecord(field=field, before=old, after=new) for field, old, new in pairs if old != new]


def _hazards(assessment: Assessment) -> list[dict[str, Any]]:
    records: list[HazardRecord] = assessment.hazards
    found = [{"kind": h["kind"], "start_seconds": round(h["start_seconds"], _HAZARD_DECIMALS)} for h in records]
    return sorted(found, key=lambda hazard: (hazard["start_seconds"], hazard["kind"]))


# Named as in the API's assessment, so that an integrator finds the whole value there.
_FIELDS: Mapping[str, Callable[[Assessment], Any]] = {
    "outcome": lambda a: str(a.outcome),
    "reason_code": lambda a: a.reason_code or None,
    "severity": lambda a: str(a.severity) or None,
    "confidence": lambda a: round(a.confidence, _SHARE_DECIMALS),
    "prediction_set": lambda a: list(a.prediction_set),
    "fault_ratio": lambda a: round(a.suggested_fault_pct, _PERCENT_DECIMALS),
    "fault_interval": lambda a: [round(a.fault_low_pct, _PERCENT_DECIMALS), round(a.fault_high_pct, _PERCENT_DECIMALS)],
    "scenario": lambda a: str(a.scenario),
    "fraud_risk_score": lambda a: round(a.fraud_risk_score, _SHARE_DECIMALS),
    "fraud_model": lambda a: a.fraud_model or None,
    "fraud_indicators": lambda a: sorted({i["code"] for i in a.fraud_indicators}),
    "review_priority": lambda a: str(a.review_priority),
    "hazards": _hazards,
    "degraded_reasons": lambda a: sorted(a.degraded_reasons),
    "service_level": lambda a: a.service_level,
    "model_version": lambda a: a.model_version,
    "provider": lambda a: f"{a.provider_name}/{a.provider_model}" if a.provider_model else a.provider_name,
    "prompt_version": lambda a: a.prompt_version or None,
}
