"""The opinion of last resort: the engine could not be run, so nothing is ruled out and a person looks."""

from __future__ import annotations

from aiassist.types import (
    FaultOpinion,
    FraudOpinion,
    Opinion,
    Outcome,
    ProviderUse,
    Scenario,
    Severity,
    SeverityOpinion,
)

# The promise that a calibrated opinion would carry; this one carries none (`calibrated` is False).
_COVERAGE_TARGET = 0.9
_VERSION = "none"


def unassessable_opinion(code: str) -> Opinion:
    """Return an opinion without any measurement; needs no model, no file and no network."""
    return Opinion(
        outcome=Outcome.NOT_ASSESSABLE,
        reason_code=code,
        severity=SeverityOpinion(
            label=None,
            confidence=0.0,
            probabilities={},
            prediction_set=tuple(Severity),
            coverage_target=_COVERAGE_TARGET,
            calibrated=False,
            calibration_source="RENDERED",
            model_version=_VERSION,
        ),
        fault=FaultOpinion(50.0, 0.0, 100.0, Scenario.UNKNOWN, ()),
        fraud=FraudOpinion(0.0, ()),
        hazards=(),
        findings=(),
        signals=(),
        facts=None,
        summary=f"The video could not be assessed ({code.replace('_', ' ')}). A person must look.",
        provider=ProviderUse(name="rules", model=_VERSION, attempts=0, prompt_version=""),
        degraded=True,
        degraded_reasons=("pipeline",),
        service_level="UNAVAILABLE",
        processing_seconds=0.0,
        pipeline_version=_VERSION,
    )
