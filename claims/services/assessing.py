"""A claim is assessed: the opinion engine runs on its video while no transaction is open."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from aiassist.assessment import pipeline
from aiassist.fraud.selectors import active_fraud_model
from aiassist.gateway.chain import chain_from
from aiassist.gateway.config import GatewayConfig
from aiassist.monitoring.selectors import calibration_in_force
from aiassist.types import Dossier, KnownCopy, Opinion, ProgressCallback, Stage, VideoFacts
from aiassist.video.decoding import measure_video
from aiassist.weights.installing import detector_weights
from claims.choices import ClaimAction, ClaimStatus
from claims.circumstances import circumstances_of
from claims.copies import near_video_copies, same_video_copies
from claims.errors import ClaimNotFound
from claims.links import linked_claims
from claims.models import Claim
from claims.services.recording import record_assessment
from claims.storage import local_path
from claims.workflow import move
from observability.jobs import Lease, argument_id, finish_job, record_progress
from tenancy.choices import CostCategory
from tenancy.costs.metering import meter
from tenancy.policy import tenant_policy
from tenancy.principals import system_principal
from tenancy.scope import current_tenant_id

log = structlog.get_logger(__name__)

FindCopies = Callable[[VideoFacts], Sequence[KnownCopy]]
# Finer than a person's eye on a progress bar, and one write a second is nothing to the database.
_PROGRESS_STEP_SECONDS = 1.0
_ASSESSABLE = frozenset({ClaimStatus.RECEIVED, ClaimStatus.PROCESSING})


class Engine(Protocol):
    """The opinion engine; `find_copies` looks for claims with a video that looks like the measured one."""

    def __call__(self, dossier: Dossier, *, on_progress: ProgressCallback, find_copies: FindCopies) -> Opinion: ...


def configured_engine(dossier: Dossier, *, on_progress: ProgressCallback, find_copies: FindCopies) -> Opinion:
    """Run the pipeline with the provider chain of the settings and what the tenant's own history has taught."""
    measure = partial(measure_video, detector=detector_weights(Path(settings.MODEL_DIR)))
    chain = chain_from(GatewayConfig.from_settings(), reference=dossier.reference)
    opinion = pipeline.run(
        dossier,
        chain=chain,
        measure=measure,
        on_progress=on_progress,
        find_copies=find_copies,
        fraud_model=active_fraud_model(),
        calibration=calibration_in_force(),
    )
    _meter_inference()
    return opinion


def _meter_inference() -> None:
    """Count the run of the platform's own models for the day's bill."""
    try:
        meter(CostCategory.INFERENCE, count=1, now=timezone.now())
    except DatabaseError as problem:
        log.warning("inference_not_metered", error=type(problem).__name__)


def assess_claim(*, lease: Lease, engine: Engine = configured_engine) -> None:
    """Assess the claim of the job and record the opinion. The caller is in the tenant's scope.

    A claim that people have decided meanwhile is left alone. Raises LeaseLost when another worker took over.
    """
    claim = _begin(lease=lease, now=timezone.now())
    if claim is None:
        return
    progress = JobProgress(lease, claim.id)
    with local_path(claim.video.storage_key) as path:
        opinion = engine(dossier_for(claim, path), on_progress=progress, find_copies=partial(near_video_copies, claim))
    progress(Stage.STORE, 95)
    record_assessment(lease=lease, claim_id=claim.id, opinion=opinion, now=timezone.now())


def dossier_for(claim: Claim, video_path: Path) -> Dossier:
    """Return all that the engine may see of the claim; `claim.video` is loaded."""
    policy = tenant_policy(current_tenant_id())
    return Dossier(
        reference=str(claim.id),
        tenant_id=str(claim.tenant_id),
        video_path=video_path,
        sha256=claim.video.sha256,
        description=claim.told.description,
        jurisdiction=policy.jurisdiction,
        loss_at=claim.loss_at,
        external_providers_allowed=policy.external_providers_allowed,
        known_copies=same_video_copies(claim),
        links=linked_claims(claim),
        circumstances=circumstances_of(claim),
    )


@transaction.atomic(durable=True)
def _begin(*, lease: Lease, now: datetime) -> Claim | None:
    """Move the claim to PROCESSING; None when there is nothing left to assess (the job is finished then)."""
    claim: Claim | None = (
        Claim.objects.select_related("video", "subject_key").filter(id=argument_id(lease.arguments, "claim_id")).first()
    )
    if claim is None:
        raise ClaimNotFound
    if claim.status == ClaimStatus.AWAITING_REVIEW:
        return claim  # a replayed dead letter: people wait already, a better opinion becomes the next version
    if claim.status not in _ASSESSABLE:
        finish_job(lease=lease, result={"claim_id": str(claim.id), "skipped": claim.status}, now=now)
        return None
    return move(
        claim=claim,
        to=ClaimStatus.PROCESSING,
        action=ClaimAction.PROCESSING_STARTED,
        actor=system_principal(tenant_id=current_tenant_id(), name="worker"),
        now=now,
        changes={"attempts": lease.attempt, "started_at": claim.started_at or now, "stage": Stage.LOAD},
        details={"attempt": lease.attempt},
    )


class JobProgress:
    """Writes how far the work is, to the job and the claim: forward only, about once a second, without a version.

    Of a job with several claims `ended` are behind it; a claim that people look at already shows no progress.
    """

    def __init__(self, lease: Lease, claim_id: UUID, *, ended: int = 0, total: int = 1) -> None:
        self._lease = lease
        self._claim_id = claim_id
        self._ended, self._total = ended, total
        self._percent = -1
        self._stage: Stage | None = None
        self._written_at = 0.0

    def __call__(self, stage: Stage, percent: int) -> None:
        now = time.monotonic()
        fresh = stage != self._stage or now - self._written_at >= _PROGRESS_STEP_SECONDS
        if not fresh or percent < self._percent or (stage, percent) == (self._stage, self._percent):
            return
        self._stage, self._percent, self._written_at = stage, percent, now
        try:
            # LeaseLost ends work that is no longer ours.
            record_progress(lease=self._lease, percent=(100 * self._ended + percent) // self._total)
            ours = Claim.objects.filter(id=self._claim_id, status=ClaimStatus.PROCESSING)
            ours.filter(progress_percent__lte=percent).update(stage=stage, progress_percent=percent)
        except DatabaseError as error:
            # Progress is a courtesy; whether the work counts is decided by its commit.
            log.warning("progress_not_written", error=type(error).__name__)
