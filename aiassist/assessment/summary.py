"""A few plain sentences made from measured facts; not one word of them comes from a model or a claimant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiassist.types import (
    FaultOpinion,
    Finding,
    FraudOpinion,
    Hazard,
    HazardKind,
    Measurements,
    SeverityOpinion,
    Telemetry,
    VideoFacts,
)

_EVENT_WORDS: Final = {
    HazardKind.IMPACT: "an impact on the insured vehicle",
    HazardKind.IMPACT_THIRD_PARTY: "an impact between others",
    HazardKind.HARD_BRAKE: "hard braking",
    HazardKind.NEAR_MISS: "a near miss",
    HazardKind.HORN: "a horn",
    HazardKind.SKID: "screeching tyres",
    HazardKind.POTHOLE: "a jolt from the road",
    HazardKind.AUDIO_BANG: "a bang",
}
_REASONS: Final = {
    "static_black": "the pictures are black or do not change",
    "test_bars": "the pictures are a test card",
    "not_dashcam": "the view is not that of a dashcam",
    "decode_failed": "the video could not be decoded",
    "decode_timeout": "decoding took longer than allowed",
    "decode_out_of_memory": "decoding needed more memory than allowed",
    "content_changed": "the stored file is not the one that was received",
}
MAX_EVENTS = 6  # a reviewer reads the timeline for more


def summary_of(measurements: Measurements, severity: SeverityOpinion, fault: FaultOpinion, fraud: FraudOpinion) -> str:
    """Return the sentences of an assessed video."""
    return " ".join(
        (
            _file_sentence(measurements.facts),
            *_event_sentences(measurements),
            *_recorded_sentence(measurements.telemetry),
            _severity_sentence(severity),
            f"Scenario {fault.scenario.value}; suggested share of the insured {fault.ratio_pct:.0f} % "
            f"({fault.low_pct:.0f}–{fault.high_pct:.0f} %).",
            _fraud_sentence(fraud),
            *_missing_sentence(measurements.degraded),
        )
    )


def summary_not_assessable(reason_code: str, facts: VideoFacts | None, fraud: FraudOpinion) -> str:
    """Return why no judgement is possible."""
    because = _REASONS.get(reason_code, reason_code.replace("_", " "))
    sentences = [f"No judgement is possible: {because}. A person must look."]
    if facts is not None:
        sentences.insert(0, _file_sentence(facts))
    if fraud.indicators:
        sentences.append(_fraud_sentence(fraud))
    return " ".join(sentences)


def _file_sentence(facts: VideoFacts) -> str:
    sound = "with sound" if facts.has_audio else "without sound"
    return (
        f"The video lasts {facts.duration_seconds:.1f} s "
        f"({facts.width_px}×{facts.height_px}, {facts.mean_fps:.0f} pictures per second, {sound})."
    )


def _event_sentences(measurements: Measurements) -> Iterator[str]:
    events = sorted(measurements.hazards, key=lambda hazard: -hazard.score)[:MAX_EVENTS]
    if not events:
        yield "No dangerous event was measured."
    for hazard in sorted(events, key=lambda hazard: hazard.start_seconds):
        words = _EVENT_WORDS[hazard.kind]
        at = hazard.start_seconds if hazard.peak_seconds is None else hazard.peak_seconds
        sentence = f"{words[0].upper()}{words[1:]} at {at:.1f} s (score {hazard.score:.2f}"
        finding = _finding_behind(hazard, measurements.findings)
        yield sentence + (f", {_measured(finding)})." if finding is not None else ").")


def _finding_behind(hazard: Hazard, findings: tuple[Finding, ...]) -> Finding | None:
    """Return the evidence of the same stage in the time of the event, the strongest against its threshold."""
    overlapping = [
        finding
        for finding in findings
        if finding.stage.value.lower() == hazard.source
        and finding.value >= finding.threshold  # the strongest moments of a calm clip stand behind no event
        and finding.start_seconds <= hazard.end_seconds
        and finding.end_seconds >= hazard.start_seconds
    ]
    return max(overlapping, key=lambda finding: abs(finding.value - finding.threshold), default=None)


def _measured(finding: Finding) -> str:
    return f"{finding.measure.replace('_', ' ')} {finding.value:.3g} against {finding.threshold:.3g}"


def _recorded_sentence(telemetry: Telemetry | None) -> Iterator[str]:
    if telemetry is not None and telemetry.delta_v_kmh is not None:
        yield (
            f"The camera's own sensor recorded a change of speed of {telemetry.delta_v_kmh:.0f} km/h "
            f"(± {telemetry.delta_v_error_kmh or 0:.0f}), which outranks the pictures."
        )


def _severity_sentence(severity: SeverityOpinion) -> str:
    assert severity.label is not None
    labels = ", ".join(label.value for label in severity.prediction_set)
    possible = f"labels that cannot be ruled out: {labels}" if labels else "none of the four classes fits"
    return f"Severity {severity.label.value} (confidence {severity.confidence:.2f}); {possible}."


def _fraud_sentence(fraud: FraudOpinion) -> str:
    if not fraud.indicators:
        return "No sign of manipulation was found."
    codes = ", ".join(indicator.code for indicator in fraud.indicators)
    return f"Signs to look at: {codes} (risk score {fraud.score:.2f})."


def _missing_sentence(degraded: tuple[str, ...]) -> Iterator[str]:
    if degraded:
        yield f"Not measured: {', '.join(name.replace('_', ' ') for name in degraded)}."
