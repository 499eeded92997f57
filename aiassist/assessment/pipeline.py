"""The ordered pipeline: a Dossier goes in, an Opinion comes out. Has no claim to write to, so it cannot decide."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from aiassist.assessment.fault import fault_opinion
from aiassist.assessment.fraud import copy_findings, fraud_opinion
from aiassist.assessment.opinions import assessed, not_assessable
from aiassist.assessment.progress import StageClock
from aiassist.assessment.recorded import recorded_severity
from aiassist.assessment.severity import SeverityModel, load_model, predict_severity, severity_opinion
from aiassist.assessment.tenant_conformal import TenantCalibration
from aiassist.assessment.vision import checked_vision, vision_request
from aiassist.fraud.scoring import FraudModel
from aiassist.gateway.chain import ProviderChain
from aiassist.types import Dossier, KnownCopy, Measurements, Opinion, ProgressCallback, Stage, VideoFacts
from aiassist.video.decoding import measure_video
from observability.errors import Unavailable, UnusableContent

# Reason codes for a video that probed before and cannot be measured now; everything else is `decode_failed`.
_DECODE_REASONS = frozenset({"decode_timeout", "decode_out_of_memory"})


# Only the measured pictures tell what a near copy is, and only the caller can read other claims.
FindCopies = Callable[[VideoFacts], Sequence[KnownCopy]]


class MeasureVideo(Protocol):
    """The measuring step; `on_progress` takes the share (0-1) that is done. Raises UnusableContent."""

    def __call__(self, path: Path, *, on_progress: Callable[[float], None]) -> Measurements: ...


class VideoMissing(Unavailable):
    """The stored file is away: a fault of the storage that a later run may not see; it says nothing about the claim."""

    code = "video_missing"
    message = "The stored video cannot be read right now."


def run(
    dossier: Dossier,
    *,
    chain: ProviderChain,
    measure: MeasureVideo = measure_video,
    on_progress: ProgressCallback | None = None,
    find_copies: FindCopies | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    model: SeverityModel | None = None,
    fraud_model: FraudModel | None = None,
    calibration: TenantCalibration | None = None,
) -> Opinion:
    """Return an opinion for any video that probed before; what cannot be judged is NOT_ASSESSABLE with its reason.

    `find_copies` is asked once the video is measured for claims that carry nearly the same one. `fraud_model`
    and `calibration` are the tenant's own, where it has them.

    Raises: VideoMissing when the storage does not hand the file out.
    """
    severity_model = model or load_model()
    clock = StageClock(on_progress, monotonic)
    with clock.stage(Stage.LOAD):
        changed = _content_hash(dossier.video_path) != dossier.sha256
    if changed:
        return not_assessable(dossier, "content_changed", None, severity_model, clock, fraud_model=fraud_model)
    try:
        with clock.stage(Stage.MINING) as advance:
            measurements = measure(dossier.video_path, on_progress=advance)
    except UnusableContent as problem:
        reason = problem.code if problem.code in _DECODE_REASONS else "decode_failed"
        return not_assessable(dossier, reason, None, severity_model, clock, fraud_model=fraud_model)
    if find_copies is not None:
        dossier = replace(dossier, known_copies=(*dossier.known_copies, *find_copies(measurements.facts)))
    if measurements.not_assessable_reason is not None:
        refused = measurements.not_assessable_reason.value
        return not_assessable(dossier, refused, measurements, severity_model, clock, fraud_model=fraud_model)
    learned = _Learned(severity_model, fraud_model, calibration)
    return _judge(dossier, measurements, chain, learned, clock)


@dataclass(frozen=True)
class _Learned:
    """What was learned before: by the project for everyone, and from the tenant's own history."""

    severity: SeverityModel
    fraud: FraudModel | None
    calibration: TenantCalibration | None


def _judge(
    dossier: Dossier, measurements: Measurements, chain: ProviderChain, learned: _Learned, clock: StageClock
) -> Opinion:
    """Walk the stages after the measurement."""
    with clock.stage(Stage.VISION):
        answer = chain.ask(vision_request(dossier, measurements), external_allowed=dossier.external_providers_allowed)
    with clock.stage(Stage.FAULT):
        fault = fault_opinion(measurements, jurisdiction=dossier.jurisdiction)
    with clock.stage(Stage.FRAUD):
        fraud = fraud_opinion(dossier, measurements.integrity, model=learned.fraud)
        copies = copy_findings(dossier, measurements.facts)
    with clock.stage(Stage.CONFORMAL):
        prediction = predict_severity(measurements, learned.severity)
        recorded = recorded_severity(measurements.telemetry)
        shown = recorded.label if recorded is not None else prediction.label
        vision = checked_vision(answer, measurements, severity=shown, scenario=fault.scenario)
        severity = severity_opinion(
            prediction,
            learned.severity,
            cap_confidence=not answer.from_model or vision.dropped > 0,
            raised=vision.raised_severity,
            tenant=learned.calibration,
            recorded=recorded,
        )
    return assessed(
        measurements,
        severity=severity,
        fault=fault,
        fraud=fraud,
        answer=answer,
        vision=vision,
        extra_findings=copies,
        unfamiliar=bool(prediction.unfamiliar),
        clock=clock,
    )


def _content_hash(path: Path) -> str:
    """Return the SHA-256 of the file: an opinion must be about the very bytes that were received."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as problem:
        raise VideoMissing from problem
