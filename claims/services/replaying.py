"""Erasures are repeated on a database that was restored from before them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from claims.errors import ClaimNotFound
from claims.services.erasing import commit_erasure
from tenancy.erasures import NotedErasure
from tenancy.models import Tenant
from tenancy.principals import system_principal
from tenancy.scope import tenant_scope


@dataclass
class Replay:
    """How the lines of a journal ended; `unknown` are claims that the restored database never had."""

    erased: int = 0
    before: int = 0
    unknown: int = 0
    unreadable_lines: list[int] = field(default_factory=list)


def replay_erasures(entries: Iterable[NotedErasure], *, now: datetime) -> Replay:
    """Erase again what the journal names, each claim in its own commit; the files go by its job."""
    outcome = Replay()
    tenants = set(Tenant.objects.values_list("id", flat=True))
    for entry in entries:
        if entry.tenant_id is None or entry.subject_id is None:
            outcome.unreadable_lines.append(entry.line)
        elif entry.tenant_id not in tenants:
            outcome.unknown += 1
        else:
            _replay(outcome, entry.tenant_id, entry.subject_id, now)
    return outcome


def _replay(outcome: Replay, tenant_id: UUID, claim_id: UUID, now: datetime) -> None:
    actor = system_principal(tenant_id=tenant_id, name="replay_erasures")
    with tenant_scope(tenant_id):
        try:
            done = commit_erasure(actor=actor, claim_id=claim_id, reason="replayed", now=now, replayed=True)
        except ClaimNotFound:
            outcome.unknown += 1
            return
    outcome.before += done.again
    outcome.erased += not done.again
