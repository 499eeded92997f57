"""Fraud risk as a transparent scorecard: coded indicators with weights, joined by noisy-or. It accuses nobody.

The weights are set by hand, each with its reason. Once a tenant has decided history to learn from, its own model adds
one indicator about the circumstances; signs of manipulation and links keep theirs, so a model can raise a file and
never clears one. The score orders files for a second look and is no probability of fraud.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from aiassist.fraud.links import joined_repeats, link_indicators
from aiassist.fraud.scoring import FraudModel
from aiassist.types import (
    SCORECARD_VERSION,
    Dossier,
    EvidenceStage,
    Finding,
    FraudIndicator,
    FraudOpinion,
    FraudSource,
    IntegrityCode,
    IntegrityFlag,
    KnownCopy,
    VideoFacts,
)

# One strong sign should put a file into the upper half, two ordinary ones too, a weak one alone never.
WEIGHTS: Final[Mapping[IntegrityCode, float]] = {
    # The same bytes under another claim: the strongest sign there is; resubmissions by mistake keep it below certainty.
    IntegrityCode.DUPLICATE_VIDEO: 0.60,
    # A re-encoded or trimmed copy takes intent more often than the same file does, but hashes can collide.
    IntegrityCode.NEAR_DUPLICATE_VIDEO: 0.55,
    # No camera repeats a passage by itself.
    IntegrityCode.LOOPED_SEGMENT: 0.50,
    # Something was taken out or put in; many honest people trim or join clips before they upload.
    IntegrityCode.EDIT_CUT: 0.35,
    # A test card is no recording of a road at all.
    IntegrityCode.TEST_BARS: 0.35,
    # The file contradicts itself; camera clocks are often simply wrong.
    IntegrityCode.METADATA_MISMATCH: 0.30,
    # Seconds are missing; cheap cameras lose frames under load and when a card is full.
    IntegrityCode.TIMESTAMP_GAP: 0.20,
    # Held pictures hide time; they also come from overloaded cameras and from converters.
    IntegrityCode.FROZEN_FRAMES: 0.20,
    # Another view than claimed; mostly a wrong file.
    IntegrityCode.NOT_DASHCAM: 0.15,
    # A covered lens or a defect camera; mostly no intent.
    IntegrityCode.STATIC_BLACK: 0.15,
    # Every messenger re-encodes; alone it means nothing, beside a cut it adds a little.
    IntegrityCode.REENCODED: 0.05,
}


def fraud_opinion(
    dossier: Dossier, integrity: Iterable[IntegrityFlag], *, model: FraudModel | None = None
) -> FraudOpinion:
    """Return the score and the indicators it was made from, strongest first."""
    details: dict[IntegrityCode, list[str]] = defaultdict(list)
    for flag in integrity:
        details[flag.code].append(_flag_detail(flag))
    for copy in dossier.known_copies:
        details[copy.code].append(_copy_detail(copy))
    signs = [
        # Signs of one code mostly share one cause.
        FraudIndicator(code.value, round(joined_repeats([WEIGHTS[code]] * len(found)), 4), "; ".join(found))
        for code, found in details.items()
    ]
    indicators = [*signs, *link_indicators(dossier.links)]
    learned = model.indicator(dossier.circumstances) if model else None
    if learned is not None:
        indicators.append(learned)
    ordered = tuple(sorted(indicators, key=lambda indicator: (-indicator.weight, indicator.code)))
    return FraudOpinion(
        score=round(_noisy_or(indicator.weight for indicator in ordered), 4),
        indicators=ordered,
        source=FraudSource.TENANT_MODEL if model else FraudSource.SCORECARD,
        model=model.version if model else SCORECARD_VERSION,
        circumstances=dossier.circumstances,
    )


def copy_findings(dossier: Dossier, facts: VideoFacts | None) -> tuple[Finding, ...]:
    """Return one evidence item per known copy: the distance of the hashes against the largest that counts."""
    end = facts.duration_seconds if facts is not None else 0.0
    return tuple(
        Finding(copy.code.value, EvidenceStage.FRAUD, "hash_distance", copy.distance, copy.threshold, 0.0, end, 0.0)
        for copy in dossier.known_copies
    )


def _noisy_or(weights: Iterable[float]) -> float:
    """Join independent reasons: each leaves the share of doubt that it does not take."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1.0 - weight
    return 1.0 - doubt


def _flag_detail(flag: IntegrityFlag) -> str:
    measured = f"{flag.detail} (value {flag.value:.3g}, threshold {flag.threshold:.3g})"
    if flag.start_seconds is None:
        return measured
    if flag.end_seconds is None or flag.end_seconds <= flag.start_seconds:
        return f"at {flag.start_seconds:.2f} s: {measured}"
    return f"{flag.start_seconds:.2f}–{flag.end_seconds:.2f} s: {measured}"


def _copy_detail(copy: KnownCopy) -> str:
    return f"also in claim {copy.claim_number} (hash distance {copy.distance:.3g})"
