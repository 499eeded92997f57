"""The demonstration: clips are rendered, handed in as claims, and followed through the real pipeline."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from aiassist.rendering.demo import DemoClip, demonstration_specs
from aiassist.rendering.encode import render_clip
from claims.choices import ClaimStatus
from claims.intake import quarantine_stream
from claims.models import Claim
from claims.services import ClaimantDetails, LossNotice, receive_claim
from config.quickstart.people import Credentials
from observability.errors import Unavailable
from tenancy.models import Membership
from tenancy.principals import Principal, principal_of_membership
from tenancy.scope import tenant_scope

_LONGEST_SECONDS = 300
_CHUNK_BYTES = 1024 * 1024
_MOVING = (ClaimStatus.RECEIVED, ClaimStatus.PROCESSING)


@dataclass(frozen=True)
class HandedIn:
    """A demonstration claim that is on its way."""

    tenant_id: UUID
    claim_id: UUID
    claim_number: str


@dataclass(frozen=True)
class ClaimProgress:
    claim_number: str
    stage: str
    percent: int
    done: bool


def missing_clips(credentials: Credentials) -> list[DemoClip]:
    """Return the demonstration clips whose claims do not exist yet."""
    return [clip for clip in demonstration_specs() if not _exists(clip, credentials)]


def hand_in(clip: DemoClip, credentials: Credentials, on_rendered: Callable[[float], None]) -> HandedIn:
    """Render the clip and hand it in as the tenant's client would. `on_rendered` gets the share 0–1 that is drawn."""
    tenant_id = UUID(credentials.tenants[clip.tenant].id)
    with tempfile.TemporaryDirectory() as folder, tenant_scope(tenant_id):
        path = Path(folder) / f"{clip.name}.mp4"
        render_clip(clip.spec, path, on_progress=on_rendered)
        with path.open("rb") as file:
            upload = quarantine_stream(iter(lambda: file.read(_CHUNK_BYTES), b""), name=path.name)
        client = _client(credentials, clip.tenant)
        receipt = receive_claim(actor=client, notice=_notice(clip), upload=upload, now=timezone.now())
    return HandedIn(tenant_id, receipt.claim.id, clip.claim_number)


def follow(claims: list[HandedIn]) -> Iterator[list[ClaimProgress]]:
    """Yield the progress of the claims until all are assessed; raises Unavailable when that takes five minutes."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while True:
        states = [_progress(claim) for claim in claims]
        yield states
        if all(state.done for state in states):
            return
        if time.monotonic() > deadline:
            raise Unavailable("The demonstration claims were not assessed in time; see worker.log in the data folder.")
        time.sleep(0.2)


def _exists(clip: DemoClip, credentials: Credentials) -> bool:
    with tenant_scope(UUID(credentials.tenants[clip.tenant].id)):
        return bool(Claim.objects.filter(claim_number=clip.claim_number).exists())


def _client(credentials: Credentials, slug: str) -> Principal:
    user = next(u for u in credentials.tenants[slug].users.values() if u.role == "CLIENT")
    membership = Membership.objects.select_related("user").get(user__username=user.username)
    return principal_of_membership(membership)


def _notice(clip: DemoClip) -> LossNotice:
    return LossNotice(
        claim_number=clip.claim_number,
        policy_number=clip.policy_number,
        loss_location=clip.loss_location,
        description=clip.description,
        vehicle_plate=clip.vehicle_plate,
        claimant=ClaimantDetails(name=clip.claimant_name),
    )


def _progress(handed_in: HandedIn) -> ClaimProgress:
    with tenant_scope(handed_in.tenant_id):
        claim = Claim.objects.only("status", "stage", "progress_percent").get(id=handed_in.claim_id)
    return ClaimProgress(handed_in.claim_number, claim.stage, claim.progress_percent, claim.status not in _MOVING)
