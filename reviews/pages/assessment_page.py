"""What the AI thinks of a claim, in words and marks, to stand beside the person's own fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aiassist.types import EvidenceStage, FraudSource, Outcome
from claims.models import Assessment, Evidence
from claims.pages.badges import SEVERITY_BADGES, Badge, SetChip, fraud_badge, set_chips, set_words, severity_badge
from claims.words import clock_words, code_words, number_words, percent_words
from reviews.pages.fault_bar import FaultBar, fault_bar
from reviews.pages.media import evidence_image_url, video_url

_STAGE_ICONS = {
    EvidenceStage.INTEGRITY: "cut",
    EvidenceStage.AUDIO: "sound",
    EvidenceStage.MOTION: "motion",
    EvidenceStage.PROXIMITY: "car",
    EvidenceStage.TELEMETRY: "motion",
    EvidenceStage.VISION: "eye",
    EvidenceStage.FRAUD: "shield",
}
_NOT_ASSESSABLE = {
    "static_black": "The picture is black, or nearly, for most of the clip.",
    "test_bars": "The clip shows a test card, no road.",
    "not_dashcam": "The clip is not a view from a moving vehicle.",
    "frozen_frames": "The picture stands still for most of the clip.",
    "unreadable": "The video could not be decoded.",
    "all_providers_failed": "Every link of the analysis chain was down; a person must look.",
}
_DEGRADED = {
    "vision_model": "no vision model",
    "budget": "the tenant’s budget had no room for a paid model",
    "detector_weights": "no vehicle detection",
    "audio_track": "no sound",
    "damaged_stream": "damaged pictures",
    "unsampled_stretches": "long clip, looked at in parts",
    "features_outside_training": "an unusual clip",
}


@dataclass(frozen=True)
class Rule:
    words: str
    effect: str
    source: str


@dataclass(frozen=True)
class Indicator:
    words: str
    detail: str
    weight: str


@dataclass(frozen=True)
class Probability:
    word: str
    percent: str
    tone: str


@dataclass(frozen=True)
class EvidenceRow:
    number: int
    title: str
    stage: str
    icon: str
    measure: str
    value: str
    threshold: str
    over: bool
    when: str
    seek: str
    start: str
    end: str
    url: str
    image_url: str


@dataclass(frozen=True)
class AssessmentCard:
    version: int
    created_at: datetime
    assessed: bool
    not_assessable: str
    severity: Badge
    confidence: str
    capped: bool
    chips: list[SetChip]
    set_words: str
    coverage_words: str
    calibration_words: str
    calibrated: bool
    probabilities: list[Probability]
    fault: FaultBar
    scenario: str
    rules: list[Rule]
    fraud: Badge
    fraud_percent: str
    fraud_basis: str
    indicators: list[Indicator]
    summary: str
    provider: str
    degraded: list[str]
    service_level: str
    seconds: str


def _is_capped(assessment: Assessment) -> bool:
    """Tell whether the confidence shown is held below what the model computed."""
    computed = float(assessment.probabilities.get(assessment.severity or "", 0.0))
    return round(computed * 100) > round(assessment.confidence * 100)


def assessment_card(assessment: Assessment, *, urgent_threshold: float) -> AssessmentCard:
    """Return the assessment as the claim page shows it."""
    return AssessmentCard(
        version=assessment.version,
        created_at=assessment.created_at,
        assessed=assessment.outcome == Outcome.ASSESSED,
        not_assessable=_not_assessable_words(assessment),
        severity=severity_badge(assessment.severity),
        confidence=percent_words(round(assessment.confidence * 100)),
        capped=_is_capped(assessment),
        chips=set_chips(assessment.prediction_set, assessment.severity),
        set_words=set_words(assessment.prediction_set),
        coverage_words=_coverage_words(assessment),
        calibration_words=_calibration_words(assessment),
        calibrated=assessment.calibrated,
        probabilities=_probabilities(assessment),
        fault=fault_bar(assessment),
        scenario=code_words(assessment.scenario),
        rules=[Rule(code_words(r["code"]), f"{r['effect']:+g}", r["source"]) for r in assessment.fault_rules],
        fraud=fraud_badge(assessment.fraud_risk_score, urgent_threshold),
        fraud_percent=percent_words(round(assessment.fraud_risk_score * 100)),
        fraud_basis=_fraud_basis(assessment),
        indicators=[
            Indicator(code_words(i["code"]), i["detail"], f"{i['weight']:.2f}") for i in assessment.fraud_indicators
        ],
        summary=assessment.summary,
        provider=_provider_words(assessment),
        degraded=[_DEGRADED.get(code, code_words(code).lower()) for code in assessment.degraded_reasons],
        service_level=code_words(assessment.service_level),
        seconds=f"{assessment.processing_seconds:.1f}",
    )


def _fraud_basis(assessment: Assessment) -> str:
    if assessment.fraud_source == FraudSource.TENANT_MODEL:
        return f"Scorecard and your own model {assessment.fraud_model}: an order of risk, no probability."
    return "Scorecard: points set by hand, joined; an order of risk, no probability."


def evidence_rows(evidence: Sequence[Evidence], *, claim_id: object, media: bool = True) -> list[EvidenceRow]:
    """Return the evidence in order, numbered, each with the place in the video that it seeks to; without `media`
    there is nothing to look at any more."""
    rows = [_evidence_row(item, number, claim_id) for number, item in enumerate(evidence, start=1)]
    return rows if media else [replace(row, url="", image_url="") for row in rows]


def _evidence_row(item: Evidence, number: int, claim_id: object) -> EvidenceRow:
    return EvidenceRow(
        number=number,
        title=code_words(item.kind),
        stage=code_words(item.stage),
        icon=_STAGE_ICONS.get(EvidenceStage(item.stage), "eye"),
        measure=code_words(item.measure),
        value=number_words(item.value),
        threshold=number_words(item.threshold),
        over=item.value >= item.threshold,
        when=f"{clock_words(item.start_seconds)} – {clock_words(item.end_seconds)}",
        seek=f"{item.at_seconds:.3f}",
        start=f"{item.start_seconds:.3f}",
        end=f"{item.end_seconds:.3f}",
        url=f"{video_url(claim_id)}#t={item.at_seconds:.3f}",
        image_url=evidence_image_url(item) if item.image_key else "",
    )


def _not_assessable_words(assessment: Assessment) -> str:
    if assessment.outcome == Outcome.ASSESSED:
        return ""
    known = _NOT_ASSESSABLE.get(assessment.reason_code)
    return known or f"{code_words(assessment.reason_code)}."


def _probabilities(assessment: Assessment) -> list[Probability]:
    return [
        Probability(badge.word, percent_words(round(assessment.probabilities[name] * 100)), badge.tone)
        for name, badge in SEVERITY_BADGES.items()
        if name in assessment.probabilities
    ]


def _coverage_words(assessment: Assessment) -> str:
    target = round(assessment.coverage_target * 100)
    if not assessment.prediction_set:
        return f"None of the four classes fits: each is ruled out at {target} %. The severity above is the nearest."
    return f"The marked set is made to hold the true severity in {target} of 100 claims."


def _calibration_words(assessment: Assessment) -> str:
    if not assessment.calibrated:
        return "Not calibrated: read it as a guess."
    if assessment.calibration_source == "TENANT":
        return "Calibrated on decisions of this tenant."
    return "Calibrated on rendered clips, not yet on this tenant's claims."


def _provider_words(assessment: Assessment) -> str:
    words = assessment.provider_name
    if assessment.provider_model:
        words += f" ({assessment.provider_model})"
    return words if assessment.provider_attempts <= 1 else f"{words}, {assessment.provider_attempts} attempts"
