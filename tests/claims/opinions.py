"""Opinions of a made-up engine, for tests that are about what becomes of an opinion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

import claims.tasks  # noqa: F401  # makes the kind of job known
from aiassist.types import (
    Dossier,
    EvidenceStage,
    FaultOpinion,
    FaultRule,
    Finding,
    FraudIndicator,
    FraudOpinion,
    Hazard,
    HazardKind,
    KnownCopy,
    Opinion,
    Outcome,
    ProgressCallback,
    ProviderUse,
    Scenario,
    Severity,
    SeverityOpinion,
    Signal,
    Stage,
    VideoFacts,
)
from observability.jobs import Lease, kind_named, take_job
from observability.models import Job

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
HASHES = tuple(f"{0x0F0F_3C3C_5A5A_9669 ^ (index * 0x1111):016x}" for index in range(16))
FACTS = VideoFacts("mov", "h264", 320, 180, 0.3, 6, 20.0, False, False, 0, HASHES)


def opinion_of(
    *possible: Severity,
    fraud: float = 0.1,
    degraded: bool = False,
    degraded_reasons: tuple[str, ...] = (),
    calibrated: bool = True,
    outcome: Outcome = Outcome.ASSESSED,
    **other: Any,
) -> Opinion:
    """Return an opinion with the given prediction set; `other` replaces further fields."""
    label = possible[0] if possible and outcome == Outcome.ASSESSED else None
    if outcome == Outcome.ASSESSED and label is None:
        label = Severity.NONE  # an empty set still has a most probable label
    opinion = Opinion(
        outcome=outcome,
        reason_code=None if outcome == Outcome.ASSESSED else "static_black",
        severity=SeverityOpinion(
            label,
            0.7 if label else 0.0,
            {Severity.NONE: 0.3, Severity.LOW: 0.7},
            possible,
            0.9,
            calibrated,
            "RENDERED",
            "severity-test",
        ),
        fault=FaultOpinion(70.0, 50.0, 90.0, Scenario.REAR_END, (FaultRule("distance", 20.0, "Vienna 1968"),)),
        fraud=FraudOpinion(fraud, (FraudIndicator("edit_cut", 0.35, "at 2.00 s"),)),
        hazards=(Hazard(HazardKind.IMPACT, 0.1, 0.2, 0.8, "motion", 0.15),),
        findings=(
            Finding("KEYFRAME", EvidenceStage.MOTION, "jerk_z", 9.2, 6.0, 0.1, 0.2, 0.15, JPEG),
            Finding("edit_cut", EvidenceStage.INTEGRITY, "cut_score", 2.0, 1.0, 0.0, 0.1, 0.0, JPEG),
            Finding("horn", EvidenceStage.AUDIO, "horn_seconds", 1.0, 0.5, 0.0, 0.1, 0.0),
        ),
        signals=(Signal("jolt_z", "z", 0.0, 0.1, (0.0, 9.2, 1.0), 6.0),),
        facts=FACTS,
        summary="An impact. Signs to look at: edit_cut (risk score 0.10).",
        provider=ProviderUse("openai", "gpt-test", 1, "vision-1"),
        degraded=degraded,
        degraded_reasons=degraded_reasons,
        service_level="DEGRADED" if degraded else "FULL",
        processing_seconds=1.5,
        pipeline_version="1",
    )
    return replace(opinion, **other)


class FakeEngine:
    """An engine that reports progress and returns the same opinion; remembers the dossiers it got."""

    def __init__(self, opinion: Opinion | None = None, *, meanwhile: Callable[[], None] | None = None) -> None:
        self.opinion = opinion or opinion_of(Severity.LOW)
        self.dossiers: list[Dossier] = []
        self.copies: Sequence[KnownCopy] = ()
        self._meanwhile = meanwhile

    def __call__(
        self,
        dossier: Dossier,
        *,
        on_progress: ProgressCallback,
        find_copies: Callable[[VideoFacts], Sequence[KnownCopy]],
    ) -> Opinion:
        self.dossiers.append(dossier)
        on_progress(Stage.LOAD, 5)
        on_progress(Stage.MINING, 40)
        self.copies = find_copies(FACTS)
        if self._meanwhile is not None:
            self._meanwhile()
        on_progress(Stage.CONFORMAL, 93)
        return self.opinion


def take_only_job() -> Lease:
    """Take the one job that waits."""
    assert kind_named("claims.assess")
    waiting = Job.objects.filter(state="PENDING").order_by("created_at").first()
    assert waiting is not None
    lease = take_job(job_id=waiting.id, now=timezone.now())
    assert lease is not None
    return lease
