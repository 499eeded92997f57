"""What the JSON columns of an assessment hold, in the API's shape, and how an opinion becomes its columns."""

from __future__ import annotations

from typing import Any, TypedDict

from aiassist.types import FaultRule, FraudIndicator, Hazard, Opinion, Signal
from claims.triage import Triage


class ReasonRecord(TypedDict):
    code: str
    points: int
    detail: str


class FaultRuleRecord(TypedDict):
    code: str
    effect: float
    source: str


class IndicatorRecord(TypedDict):
    code: str
    weight: float
    detail: str


class HazardRecord(TypedDict):
    kind: str
    start_seconds: float
    end_seconds: float
    peak_seconds: float | None
    score: float
    source: str


class ChangeRecord(TypedDict):
    """One field that a newer opinion says differently; values as in the API's assessment."""

    field: str
    before: Any
    after: Any


class SignalRecord(TypedDict):
    """A curve to draw; not part of the API's assessment, read by the desk."""

    name: str
    unit: str
    start_seconds: float
    step_seconds: float
    values: list[float]
    threshold: float | None


def opinion_columns(opinion: Opinion, triage: Triage) -> dict[str, Any]:
    """Return the columns of an Assessment row that the opinion and its triage fill."""
    severity, fault, provider = opinion.severity, opinion.fault, opinion.provider
    return {
        "outcome": opinion.outcome,
        "reason_code": opinion.reason_code or "",
        "severity": severity.label or "",
        "confidence": severity.confidence,
        "probabilities": {str(label): share for label, share in severity.probabilities.items()},
        "model_probabilities": {str(label): share for label, share in severity.model_probabilities.items()},
        "prediction_set": [str(label) for label in severity.prediction_set],
        "coverage_target": severity.coverage_target,
        "calibrated": severity.calibrated,
        "calibration_source": severity.calibration_source,
        "model_version": severity.model_version,
        "review_priority": triage.priority,
        "priority_points": triage.points,
        "priority_reasons": [ReasonRecord(code=r.code, points=r.points, detail=r.detail) for r in triage.reasons],
        "suggested_fault_pct": fault.ratio_pct,
        "fault_low_pct": fault.low_pct,
        "fault_high_pct": fault.high_pct,
        "scenario": fault.scenario,
        "fault_rules": [_rule(rule) for rule in fault.rules],
        "fraud_risk_score": opinion.fraud.score,
        "fraud_indicators": [_indicator(indicator) for indicator in opinion.fraud.indicators],
        "fraud_source": opinion.fraud.source,
        "fraud_model": opinion.fraud.model,
        "fraud_circumstances": dict(opinion.fraud.circumstances),
        "hazards": [_hazard(hazard) for hazard in opinion.hazards],
        "signals": [_signal(signal) for signal in opinion.signals],
        "summary": opinion.summary,
        "provider_name": provider.name,
        "provider_model": provider.model,
        "provider_attempts": provider.attempts,
        "prompt_version": provider.prompt_version,
        "degraded": opinion.degraded,
        "degraded_reasons": list(opinion.degraded_reasons),
        "service_level": opinion.service_level,
        "processing_seconds": opinion.processing_seconds,
    }


def _rule(rule: FaultRule) -> FaultRuleRecord:
    return FaultRuleRecord(code=rule.code, effect=rule.effect_pct, source=rule.source)


def _indicator(indicator: FraudIndicator) -> IndicatorRecord:
    return IndicatorRecord(code=indicator.code, weight=indicator.weight, detail=indicator.detail)


def _hazard(hazard: Hazard) -> HazardRecord:
    return HazardRecord(
        kind=hazard.kind,
        start_seconds=hazard.start_seconds,
        end_seconds=hazard.end_seconds,
        peak_seconds=hazard.peak_seconds,
        score=hazard.score,
        source=hazard.source,
    )


def _signal(signal: Signal) -> SignalRecord:
    return SignalRecord(
        name=signal.name,
        unit=signal.unit,
        start_seconds=signal.start_seconds,
        step_seconds=signal.step_seconds,
        values=list(signal.values),
        threshold=signal.threshold,
    )
