"""A claim comes in: its file is stored and hashed, claim, audit event and job are one commit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from claims.antivirus import scan_upload
from claims.choices import ClaimAction, ClaimEvent, ClaimStatus
from claims.errors import ClaimNumberExists
from claims.intake import QuarantinedFile, inspect_upload
from claims.models import Claim, Policy, Resubmission, VideoFile
from claims.models.told import Contact, Told
from claims.notices import LossNotice
from claims.sealing import seal_told, sealed_party
from claims.selectors import claims_visible_to
from claims.services.linking import index_links
from claims.storage import Publication, new_key
from observability import metrics
from observability.errors import PlatformError
from observability.ids import new_id
from observability.jobs import enqueue_job
from tenancy.audit import record_event
from tenancy.choices import Scope
from tenancy.permissions import require_scope
from tenancy.principals import Principal
from tenancy.quotas import Hold, held_quota, settle
from tenancy.scope import current_tenant_id
from tenancy.standing import require_standing
from tenancy.vault import make_subject_key
from tenancy.webhooks.announcing import announce

ASSESS_JOB = "claims.assess"

# What a stored file is served as, and its extension: by content, never by the name it came with.
_MEDIA_TYPES = {
    "mov": ("video/mp4", "mp4"),
    "matroska": ("video/x-matroska", "mkv"),
    "avi": ("video/x-msvideo", "avi"),
    "mpegts": ("video/mp2t", "ts"),
    "mpeg": ("video/mpeg", "mpg"),
}


@dataclass(frozen=True)
class Receipt:
    """The claim that stands for the upload; `duplicate` when it was there before."""

    claim: Claim
    duplicate: bool


def receive_claim(*, actor: Principal, notice: LossNotice, upload: QuarantinedFile, now: datetime) -> Receipt:
    """Receive a claim with its video, once per person and bytes.

    The same bytes from someone who may see the claim they came with are that claim again, with the resubmission
    recorded; from another person of the tenant a new claim on the same stored file. Takes the file out of quarantine.
    A new claim costs one assessment of the quota and new bytes their storage, the same claim again costs nothing.
    Raises ClaimNumberExists, QuotaExceeded, DecodeFailed for a file of which no picture decodes, MalwareFound,
    ScannerUnavailable, and InvalidCredential when the actor's credential ended meanwhile; then nothing is left of it.
    """
    require_scope(actor, Scope.WRITE)
    stored = _stored_video(upload).first()
    if stored is None:
        _refuse_used_number(notice)
    again = stored is not None and _claim_on_video(actor, stored) is not None
    needs = {"assessments": 0 if again else 1, "storage_bytes": upload.size_bytes if stored is None else 0}
    with held_quota(**needs, now=now) as hold, Publication() as publication:
        commit = partial(_commit_receipt, actor=actor, notice=notice, upload=upload, hold=hold, now=now)
        video = _published(upload, publication, now) if stored is None else None
        try:
            receipt = commit(video=video)
        except VideoFile.DoesNotExist:  # erased since it was looked for
            video = _published(upload, publication, now)
            receipt = commit(video=video)
        if video is not None and receipt.claim.video_id == video.id:
            publication.keep()
    upload.discard()
    metrics.UPLOADS.labels(outcome="duplicate" if receipt.duplicate else "accepted").inc()
    metrics.UPLOAD_BYTES.inc(upload.size_bytes)
    return receipt


def _stored_video(upload: QuarantinedFile) -> QuerySet[VideoFile]:
    return VideoFile.objects.filter(sha256=upload.sha256, removed_at__isnull=True)


def _refuse_used_number(notice: LossNotice) -> None:
    """Refuse early what the constraint would refuse after the file was probed and stored."""
    if Claim.objects.filter(claim_number=notice.claim_number).exists():
        raise ClaimNumberExists


def _published(upload: QuarantinedFile, publication: Publication, now: datetime) -> VideoFile:
    """Look into the file, store it and return its unsaved row."""
    probe = inspect_upload(upload)
    scan_upload(upload.path)
    media_type, extension = _MEDIA_TYPES[probe.container]
    key = new_key(tenant_id=current_tenant_id(), extension=extension, now=now)
    publication.store_file(upload.path, key)
    return VideoFile(
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        storage_key=key,
        media_type=media_type,
        codec=probe.codec,
        width_px=probe.width_px,
        height_px=probe.height_px,
        duration_seconds=probe.duration_seconds,
        stored_at=now,
    )


@transaction.atomic(durable=True)
def _commit_receipt(
    *, actor: Principal, notice: LossNotice, upload: QuarantinedFile, video: VideoFile | None, hold: Hold, now: datetime
) -> Receipt:
    if video is not None:
        # Of two uploads at once the second waits here for the first one's commit, then finds its row.
        VideoFile.objects.bulk_create([video], ignore_conflicts=True)
    stored = _stored_video(upload).select_for_update(no_key=True).get()
    require_standing(actor, now=now)  # the upload took its time; a key revoked meanwhile commits nothing
    known = _claim_on_video(actor, stored)
    if known is not None:
        _record_resubmission(claim=known, actor=actor, notice=notice, now=now)
        return Receipt(known, duplicate=True)
    claim = _insert_claim(actor=actor, notice=notice, video=stored, file_name=upload.name, now=now)
    claimant = sealed_party(claim, Contact(**asdict(notice.claimant))) if notice.claimant is not None else None
    if claimant is not None:
        claimant.save(force_insert=True)
    index_links(claim, claimant, now=now)
    tenant_ref = str(claim.tenant_id)
    arguments = {"claim_id": str(claim.id), "tenant_id": tenant_ref}
    enqueue_job(kind=ASSESS_JOB, tenant_ref=tenant_ref, arguments=arguments, now=now)
    is_new = video is not None and stored.id == video.id
    settle(hold, assessments=1, storage_bytes=stored.size_bytes if is_new else 0, now=now)
    announce(ClaimEvent.RECEIVED, data={"claim_id": claim.id, "status": ClaimStatus.RECEIVED}, now=now)
    record_event(
        action=ClaimAction.RECEIVED,
        actor=actor,
        object_type="claim",
        object_id=claim.id,
        now=now,
        after={
            "status": ClaimStatus.RECEIVED,
            "claim_number": claim.claim_number,
            "sha256": stored.sha256,
            "size_bytes": stored.size_bytes,
        },
    )
    return Receipt(claim, duplicate=False)


def _claim_on_video(actor: Principal, video: VideoFile) -> Claim | None:
    """Return the claim that these bytes are to this person: their own first, else the oldest they may see."""
    claims = list(
        claims_visible_to(actor).filter(video=video, media_removed_at__isnull=True).order_by("received_at", "id")[:50]
    )
    own = [claim for claim in claims if claim.submitted_by_id == actor.user_id]
    found = (own or claims)[:1]
    for claim in found:
        claim.video = video
    return found[0] if found else None


def _insert_claim(*, actor: Principal, notice: LossNotice, video: VideoFile, file_name: str, now: datetime) -> Claim:
    """Insert the claim; the video's row lock keeps everyone with the same bytes out until the commit."""
    person = actor.user_id
    assert person is not None, "a claim is handed in by a person or a person's key"
    policy = Policy.objects.filter(policy_number=notice.policy_number).first() if notice.policy_number else None
    claim = Claim(
        id=new_id(),
        claim_number=notice.claim_number,
        submitted_by_id=person,
        video=video,
        policy=policy,
        policy_number=notice.policy_number,
        loss_at=notice.loss_at,
        received_at=now,
    )
    seal_told(claim, _told(notice, file_name), key=make_subject_key(now=now))
    Claim.objects.bulk_create([claim], ignore_conflicts=True)
    if Claim.objects.filter(id=claim.id).exists():
        return claim
    if Claim.objects.filter(claim_number=notice.claim_number).exists():
        raise ClaimNumberExists
    raise PlatformError("The claim could not be written.", code="claim_not_written")


def _told(notice: LossNotice, file_name: str) -> Told:
    return Told(
        vehicle_plate=notice.vehicle_plate,
        loss_location=notice.loss_location,
        description=notice.description,
        metadata=dict(notice.metadata),
        file_name=file_name,
    )


def _record_resubmission(*, claim: Claim, actor: Principal, notice: LossNotice, now: datetime) -> None:
    Resubmission.objects.create(
        claim=claim, claim_number=notice.claim_number, submitted_by_id=actor.user_id, received_at=now
    )
    record_event(
        action=ClaimAction.RESUBMITTED,
        actor=actor,
        object_type="claim",
        object_id=claim.id,
        now=now,
        after={"claim_number": notice.claim_number},
    )
