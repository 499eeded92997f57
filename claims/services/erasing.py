"""Personal data of a claim is erased, or its media alone: rows in one commit, files by a job after it.

The commit destroys the data key, so nothing is half erased to a reader; the job removes the files for as long as it
takes, across crashes. The claim's shell, its opinion in figures, the decision and the history stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction

from aiassist.gateway.remembering_provider import forget_answers_about
from claims.choices import CLOSED, ClaimAction
from claims.errors import ClaimNotFound, ClaimOpen, LegalHold
from claims.identifiers import refuse_identifiers
from claims.models import Claim, Evidence, LinkKey, Party, VideoFile
from claims.observing import forget_groups_of
from observability.ids import new_id
from observability.jobs import Lease, argument_id, enqueue_job, finish_job, forget_details
from tenancy.audit import record_event
from tenancy.choices import Scope
from tenancy.erasures import empty_write_ahead_log, erasure_of, note_erasure, record_erasure
from tenancy.models import Erasure
from tenancy.permissions import require_scope
from tenancy.principals import Principal
from tenancy.quotas import give_back_storage
from tenancy.vault import destroy_key

REMOVE_MEDIA_JOB = "claims.remove_media"


@dataclass(frozen=True)
class Erased:
    """An erasure; `again` when it had been done before."""

    erasure: Erasure
    again: bool


def erase_claim(*, actor: Principal, claim_id: UUID, now: datetime, reason: str = "") -> Erased:
    """Erase the claim's personal data and media for good, once.

    Raises PermissionRefused, InvalidInput for a reason that names the person, ClaimNotFound, LegalHold, and ClaimOpen
    while people have still to decide.
    """
    require_scope(actor, Scope.ADMIN)
    claim = Claim.objects.select_related("subject_key").filter(id=claim_id).first()
    if claim is not None:
        refuse_identifiers(claim, reason=reason)
    return commit_erasure(actor=actor, claim_id=claim_id, reason=reason, now=now)


@transaction.atomic(durable=True)
def commit_erasure(*, actor: Principal, claim_id: UUID, reason: str, now: datetime, replayed: bool = False) -> Erased:
    """Erase without asking for the actor's right (timers, replays). A replay repeats what was lawful when it was done,
    so a hold or an open decision that a restored backup brings back does not stop it."""
    claim = _locked(claim_id)
    if claim.erased_at is not None:
        known = erasure_of(claim.id)
        assert known is not None  # written in the commit that set the time
        return Erased(known, again=True)
    if not replayed:
        _refuse_kept(claim)
    if claim.subject_key_id is not None:
        destroy_key(key_id=claim.subject_key_id, now=now)
    Party.objects.filter(claim_id=claim.id).update(sealed="")
    LinkKey.objects.filter(claim_id=claim.id).delete()
    forget_answers_about(str(claim.id))
    forget_groups_of(claim)
    _let_go_of_video(claim, now)
    gone_at = claim.media_removed_at or now
    Claim.objects.filter(id=claim.id).update(
        sealed="", erased_at=now, media_removed_at=gone_at, held_since=None, hold_reason=""
    )
    job_id = _enqueue_removal(claim, now)
    erasure = record_erasure(subject_id=claim.id, key_id=claim.subject_key_id, job_id=job_id, now=now)
    _record(ClaimAction.ERASED, claim, actor, now=now, reason=reason, replayed=replayed)
    return Erased(erasure, again=False)


@transaction.atomic(durable=True)
def commit_media_removal(*, actor: Principal, claim_id: UUID, reason: str, now: datetime) -> bool:
    """Remove video and pictures of a decided claim and keep the rest; False when they were gone before."""
    claim = _locked(claim_id)
    if claim.media_removed_at is not None:
        return False
    _refuse_kept(claim)
    _let_go_of_video(claim, now)
    Claim.objects.filter(id=claim.id).update(media_removed_at=now)
    _enqueue_removal(claim, now)
    _record(ClaimAction.MEDIA_REMOVED, claim, actor, now=now, reason=reason, replayed=False)
    return True


def remove_media(*, lease: Lease, now: datetime) -> None:
    """Remove the files of a claim that was erased or whose media was let go. Safe to run again after a crash.

    The journal's file is written first: once a file is gone, a restored backup must not bring it back unnoticed.
    """
    claim_id = argument_id(lease.arguments, "claim_id")
    claim = Claim.objects.select_related("video").filter(id=claim_id).first()
    if claim is None:
        raise ClaimNotFound
    erasure = erasure_of(claim.id)
    if erasure is not None:
        note_erasure(erasure)
    pictures = Evidence.objects.filter(assessment__claim_id=claim.id).exclude(image_key="")
    if claim.media_removed_at is not None:
        keys = list(pictures.values_list("image_key", flat=True))
        for key in keys + ([claim.video.storage_key] if claim.video.removed_at is not None else []):
            default_storage.delete(key)
    _end_removal(lease=lease, claim=claim, now=now)
    empty_write_ahead_log()


@transaction.atomic(durable=True)
def _end_removal(*, lease: Lease, claim: Claim, now: datetime) -> None:
    if claim.media_removed_at is not None:
        Evidence.objects.filter(assessment__claim_id=claim.id).exclude(image_key="").update(image_key="")
    if claim.erased_at is not None:
        # What a worker wrote that was busy with the claim while it was erased.
        forget_answers_about(str(claim.id))
        forget_details(tenant_ref=str(claim.tenant_id), argument="claim_id", value=str(claim.id))
    finish_job(lease=lease, result={"claim_id": str(claim.id)}, now=now)


def _locked(claim_id: UUID) -> Claim:
    claim: Claim | None = Claim.objects.select_for_update(no_key=True).filter(id=claim_id).first()
    if claim is None:
        raise ClaimNotFound
    return claim


def _refuse_kept(claim: Claim) -> None:
    if claim.held_since is not None:
        raise LegalHold(extra={"held_since": claim.held_since})
    if claim.status not in CLOSED:
        raise ClaimOpen


def _let_go_of_video(claim: Claim, now: datetime) -> None:
    """Mark the file for removal, forget its picture hashes and free its storage, unless another claim still shows it.

    The row lock is the one that uploads of the same bytes take: they come before and keep the file, or after and find
    none.
    """
    video = VideoFile.objects.select_for_update(no_key=True).get(id=claim.video_id)
    others = Claim.objects.filter(video_id=video.id, media_removed_at__isnull=True).exclude(id=claim.id)
    if others.exists():
        return
    if VideoFile.objects.filter(id=video.id, removed_at__isnull=True).update(removed_at=now, perceptual_hashes=[]):
        give_back_storage(size_bytes=video.size_bytes)


def _enqueue_removal(claim: Claim, now: datetime) -> UUID:
    job_id, tenant_ref = new_id(), str(claim.tenant_id)
    arguments = {"claim_id": str(claim.id), "tenant_id": tenant_ref}
    enqueue_job(kind=REMOVE_MEDIA_JOB, tenant_ref=tenant_ref, arguments=arguments, now=now, job_id=job_id)
    return job_id


def _record(action: ClaimAction, claim: Claim, actor: Principal, *, now: datetime, reason: str, replayed: bool) -> None:
    after: dict[str, object] = {"status": claim.status} | ({"replayed": True} if replayed else {})
    record_event(
        action=action, actor=actor, object_type="claim", object_id=claim.id, now=now, after=after, reason=reason.strip()
    )
