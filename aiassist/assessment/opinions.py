"""Puts the parts of an opinion together; the two ways a run can end."""

from __future__ import annotations

from aiassist.assessment.fault import fault_not_assessable
from aiassist.assessment.features import monitored_features
from aiassist.assessment.fraud import copy_findings, fraud_opinion
from aiassist.assessment.progress import StageClock
from aiassist.assessment.severity import SeverityModel, severity_not_assessable
from aiassist.assessment.summary import summary_not_assessable, summary_of
from aiassist.assessment.vision import PROMPT_VERSION, CheckedVision
from aiassist.fraud.scoring import FraudModel
from aiassist.gateway.rules_provider import RULES_MODEL
from aiassist.gateway.types import NO_BUDGET, RULES, ChainAnswer
from aiassist.types import (
    Dossier,
    FaultOpinion,
    Finding,
    FraudOpinion,
    Measurements,
    Opinion,
    Outcome,
    ProviderUse,
    SeverityOpinion,
)

PIPELINE_VERSION = "1"
FULL, DEGRADED = "FULL", "DEGRADED"
NO_VISION_MODEL = "vision_model"
UNFAMILIAR_VIDEO = "features_outside_training"


def assessed(
    measurements: Measurements,
    *,
    severity: SeverityOpinion,
    fault: FaultOpinion,
    fraud: FraudOpinion,
    answer: ChainAnswer,
    vision: CheckedVision,
    extra_findings: tuple[Finding, ...],
    unfamiliar: bool,
    clock: StageClock,
) -> Opinion:
    """Return the opinion of a video that could be judged."""
    held_back = answer.held_back_by_budget
    reasons = (
        *measurements.degraded,
        *((NO_VISION_MODEL,) if not answer.from_model else ()),
        *((NO_BUDGET,) if held_back else ()),
        *((UNFAMILIAR_VIDEO,) if unfamiliar else ()),
    )
    return Opinion(
        outcome=Outcome.ASSESSED,
        reason_code=None,
        severity=severity,
        fault=fault,
        fraud=fraud,
        hazards=measurements.hazards,
        findings=(*measurements.findings, *vision.findings, *extra_findings),
        signals=measurements.signals,
        facts=measurements.facts,
        summary=summary_of(measurements, severity, fault, fraud),
        provider=_provider_use(answer, vision.dropped),
        degraded=not answer.from_model or held_back,
        degraded_reasons=reasons,
        service_level=FULL if answer.from_model and not held_back else DEGRADED,
        processing_seconds=clock.elapsed,
        pipeline_version=PIPELINE_VERSION,
        stage_seconds=dict(clock.seconds),
        features=monitored_features(measurements),
    )


def not_assessable(
    dossier: Dossier,
    reason_code: str,
    measurements: Measurements | None,
    model: SeverityModel,
    clock: StageClock,
    *,
    fraud_model: FraudModel | None,
) -> Opinion:
    """Return the opinion that hands the video to a person: nothing ruled out, and the signs of fraud there are."""
    facts = measurements.facts if measurements else None
    fraud = fraud_opinion(dossier, measurements.integrity if measurements else (), model=fraud_model)
    return Opinion(
        outcome=Outcome.NOT_ASSESSABLE,
        reason_code=reason_code,
        severity=severity_not_assessable(model),
        fault=fault_not_assessable(),
        fraud=fraud,
        hazards=measurements.hazards if measurements else (),
        findings=((measurements.findings if measurements else ()) + copy_findings(dossier, facts)),
        signals=measurements.signals if measurements else (),
        facts=facts,
        summary=summary_not_assessable(reason_code, facts, fraud),
        provider=ProviderUse(name=RULES, model=RULES_MODEL, attempts=0, prompt_version=PROMPT_VERSION),
        degraded=True,
        degraded_reasons=(*(measurements.degraded if measurements else ()), NO_VISION_MODEL),
        service_level=DEGRADED,
        processing_seconds=clock.elapsed,
        pipeline_version=PIPELINE_VERSION,
        stage_seconds=dict(clock.seconds),
    )


def _provider_use(answer: ChainAnswer, dropped: int) -> ProviderUse:
    return ProviderUse(
        name=answer.provider,
        model=answer.model,
        attempts=answer.attempts,
        prompt_version=answer.prompt_version,
        input_tokens=answer.usage.input_tokens,
        output_tokens=answer.usage.output_tokens,
        errors=answer.errors,
        dropped_statements=dropped,
    )
