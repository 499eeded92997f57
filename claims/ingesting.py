"""Handing in files from a disk, and following their claims: what `manage.py ingest` does beside printing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.utils import timezone
from rest_framework.exceptions import ValidationError

from claims.choices import ClaimStatus
from claims.inputs import loss_notice_from
from claims.intake import quarantine_stream
from claims.models import Claim
from claims.services import receive_claim
from observability.errors import InvalidInput, NotFound, PlatformError, Unavailable
from tenancy.choices import Role
from tenancy.models import Membership, Tenant
from tenancy.principals import Principal, principal_of_membership
from tenancy.scope import tenant_scope

_CHUNK_BYTES = 1024 * 1024
_LOOK_EVERY_SECONDS = 0.25
_MOVING = frozenset({ClaimStatus.RECEIVED, ClaimStatus.PROCESSING})
# In whose name a file is handed in when nobody is named: whoever may write, the administrator first.
_WRITERS = (Role.ADMIN, Role.SUPERVISOR, Role.ANALYST, Role.CLIENT)


@dataclass(frozen=True)
class Ingested:
    """What became of one file: a claim, or the error that refused it."""

    path: Path
    claim_id: UUID | None = None
    claim_number: str = ""
    duplicate: bool = False
    error: PlatformError | None = None


@dataclass(frozen=True)
class Progress:
    claim_id: UUID
    status: str
    stage: str
    percent: int
    error_code: str

    @property
    def done(self) -> bool:
        return self.status not in _MOVING


def member_of(*, tenant_slug: str, username: str | None) -> Principal:
    """Return the member in whose name a command acts; raises NotFound for an unknown tenant or member."""
    tenant = Tenant.objects.filter(slug=tenant_slug).first()
    if tenant is None:
        raise NotFound(f"There is no tenant {tenant_slug!r}.")
    members = Membership.objects.select_related("user", "tenant").filter(tenant=tenant, user__is_active=True)
    if username is not None:
        members = members.filter(user__username=username)
    by_role = {member.role: member for member in members.order_by("-created_at", "-id")}
    chosen = next((by_role[role] for role in (*_WRITERS, *by_role) if role in by_role), None)
    if chosen is None:
        raise NotFound(f"Tenant {tenant_slug!r} has no such member.")
    return principal_of_membership(chosen)


def ingest_file(
    *, path: Path, claim_number: str, actor: Principal, on_read: Callable[[int], None] = lambda _bytes: None
) -> Ingested:
    """Hand in one file; what refuses it stands in the answer. `on_read` gets the bytes read with each chunk."""
    assert actor.tenant_id is not None
    with tenant_scope(actor.tenant_id):
        try:
            upload = quarantine_stream(_chunks(path, on_read), name=path.name)
            try:
                notice = loss_notice_from({"claim_number": claim_number})
                receipt = receive_claim(actor=actor, notice=notice, upload=upload, now=timezone.now())
            finally:
                upload.discard()
        except PlatformError as error:
            return Ingested(path, error=error)
        except ValidationError:
            return Ingested(path, error=InvalidInput("A claim number has 1 to 64 visible characters."))
        except OSError as error:
            return Ingested(path, error=NotFound(f"The file cannot be read: {error.strerror}.", code="unreadable_file"))
    return Ingested(path, receipt.claim.id, receipt.claim.claim_number, receipt.duplicate)


def follow_claims(*, claim_ids: Iterable[UUID], tenant_id: UUID, patience_seconds: float) -> Iterator[list[Progress]]:
    """Yield the progress of the claims until people can look at all of them; raises Unavailable after the patience."""
    wanted = list(dict.fromkeys(claim_ids))
    deadline = time.monotonic() + patience_seconds
    while True:
        with tenant_scope(tenant_id):
            rows = Claim.objects.filter(id__in=wanted).only("status", "stage", "progress_percent", "error_code")
            states = [Progress(c.id, c.status, c.stage, c.progress_percent, c.error_code) for c in rows]
        yield states
        if all(state.done for state in states):
            return
        if time.monotonic() > deadline:
            raise Unavailable("The claims were not assessed in time; is a worker running?", code="not_assessed_in_time")
        time.sleep(_LOOK_EVERY_SECONDS)


def _chunks(path: Path, on_read: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while data := stream.read(_CHUNK_BYTES):
            on_read(len(data))
            yield data
