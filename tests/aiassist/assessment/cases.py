"""Measurements, dossiers, a small severity model and a counting clock, made by hand for the tests of the assessment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from aiassist.assessment.pipeline import run
from aiassist.assessment.severity import FeatureScale, SeverityModel
from aiassist.gateway.chain import ProviderChain
from aiassist.gateway.types import ProviderAnswer, Reach, Usage, VisionRequest
from aiassist.types import (
    Dossier,
    EvidenceStage,
    Finding,
    Hazard,
    HazardKind,
    IntegrityCode,
    IntegrityFlag,
    Keyframe,
    KnownCopy,
    Measurements,
    Opinion,
    ProgressCallback,
    Severity,
    Signal,
    VideoFacts,
)
from observability.errors import PlatformError

FACTS = VideoFacts("mp4", "h264", 640, 360, 10.0, 250, 25.0, False, True, 0)


def hazard(kind: HazardKind, at: float = 5.0, *, score: float = 0.9, lasts: float = 0.2) -> Hazard:
    return Hazard(kind, at, at + lasts, score, "motion", peak_seconds=at + lasts / 2)


def impact_finding(at: float = 5.0, value: float = 2.2) -> Finding:
    return Finding("impact", EvidenceStage.MOTION, "impact_value", value, 1.0, at, at + 0.2, at + 0.1)


def growth_signal(*, until: float = 5.0, seen_for: float = 3.0, step: float = 0.1) -> Signal:
    """Something ahead grows for `seen_for` seconds until the event."""
    values = tuple(0.8 if until - seen_for <= index * step <= until else 0.0 for index in range(100))
    return Signal("growth_ahead", "1/s", 0.0, step, values, 1 / 1.5)


def crash(**changes: object) -> Measurements:
    """Ada's clip: the insured strikes the vehicle ahead at 5.0 s."""
    made = Measurements(
        facts=FACTS,
        signals=(growth_signal(),),
        findings=(impact_finding(),),
        hazards=(hazard(HazardKind.IMPACT),),
        integrity=(),
        features={
            "impact_value": 2.2,
            "growth_before_impact": 1.6,
            "impact_speed_change_ratio": -0.6,
            "impact_vertical_share": 0.5,
            "impact_roll_share": 0.1,
            "harm": 6.0,
        },
        not_assessable_reason=None,
        degraded=(),
        keyframes=(Keyframe(4.0, b"\xff\xd8a"), Keyframe(5.0, b"\xff\xd8b")),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def calm(**changes: object) -> Measurements:
    """A drive on which nothing happens."""
    features = {"impact_value": 0.0, "harm": 0.0}
    return replace(crash(hazards=(), findings=(), signals=(), features=features), **changes)  # type: ignore[arg-type]


def with_features(measurements: Measurements, **features: float) -> Measurements:
    return replace(measurements, features={**measurements.features, **features})


def integrity_flag(code: IntegrityCode, start: float | None = 3.0) -> IntegrityFlag:
    end = None if start is None else start + 0.5
    return IntegrityFlag(code, "measured difference", 0.8, 0.5, start, end)


def copy_of(code: IntegrityCode = IntegrityCode.DUPLICATE_VIDEO) -> KnownCopy:
    return KnownCopy(code, "CLM-7", distance=0.0, threshold=0.1)


def small_model(**changes: object) -> SeverityModel:
    """A model of one feature, `harm` (0 NONE … 6 MEDIUM … 20 HIGH), with 19 calibration cases per class."""
    scores = tuple(round(index / 40, 3) for index in range(19))
    made = SeverityModel(
        version="severity-test",
        calibration_source="RENDERED",
        scales=(FeatureScale("harm", mean=1.5, scale=1.0, low=0.0, high=3.1),),
        weights=np.array([[-6.0], [-2.0], [2.0], [6.0]]),
        bias=np.array([0.0, 1.0, 1.5, -4.0]),
        calibration={label: scores for label in Severity},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class Answering:
    """A vision model that gives this answer and remembers what it was asked."""

    name = "openai"
    model = "seeing-1"
    reach = Reach.EXTERNAL

    def __init__(self, content: object) -> None:
        self.content = content
        self.requests: list[VisionRequest] = []

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        self.requests.append(request)
        return ProviderAnswer(content=self.content, model="seeing-1", usage=Usage(100, 20))


def vision_answer(
    *statements: Mapping[str, object], severity: str = "UNSURE", scenario: str = "UNKNOWN", view: str = "DASHCAM"
) -> dict[str, object]:
    return {"view": view, "severity": severity, "scenario": scenario, "statements": list(statements)}


def statement(kind: HazardKind, at: float, *, lasts: float = 0.2, certainty: float = 0.9) -> dict[str, object]:
    return {"kind": kind.value, "start_seconds": at, "end_seconds": at + lasts, "certainty": certainty}


def make_dossier(folder: Path, *, name: str = "clip.mp4", description: str = "", **changes: object) -> Dossier:
    path = folder / name
    path.write_bytes(b"bytes of " + name.encode())
    made = Dossier(
        reference="CLM-1",
        tenant_id="acme",
        video_path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        description=description,
        jurisdiction="DE",
        loss_at=None,
        external_providers_allowed=True,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class Ticking:
    """A clock that moves by a tenth of a second at every look, so that equal runs take equal times."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


def assess(
    dossier: Dossier,
    measured: Measurements | PlatformError,
    *links: Answering,
    on_progress: ProgressCallback | None = None,
    model: SeverityModel | None = None,
) -> Opinion:
    """Run the pipeline on measurements made by hand."""

    def measure(path: Path, *, on_progress: Callable[[float], None]) -> Measurements:
        on_progress(0.5)
        if isinstance(measured, PlatformError):
            raise measured
        return measured

    return run(
        dossier,
        chain=ProviderChain(links),
        measure=measure,
        on_progress=on_progress,
        monotonic=Ticking(),
        model=model or small_model(),
    )
