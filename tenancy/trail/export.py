"""A tenant's whole sealed trail as JSON lines, for an auditor with nothing but the file and `offline.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tenancy.models import AuditSeal, Tenant
from tenancy.trail.checkpoints import checkpoint_data
from tenancy.trail.format import EventContent, time_text
from tenancy.trail.seals import latest_seal, seals_up_to
from tenancy.trail.walk import content_of, rows_up_to

FORMAT = "claimwright-audit-export-1"


def export_lines(tenant: Tenant, *, now: datetime) -> Iterator[str]:
    """Yield a header, each event in order with the seals made after it, and an end that tells how many there were.

    Events that await their seal are not in it. The caller is in the tenant's scope.
    """
    last = latest_seal()
    yield _line("trail", format=FORMAT, tenant={"id": str(tenant.id), "slug": tenant.slug}, exported_at=time_text(now))
    events = 0
    if last is not None:
        seals = seals_up_to(last.number)
        pending = next(seals, None)
        for row in rows_up_to(last.size):
            seq, previous_hash, chain_hash, kind = row[:4]
            place = {"seq": seq, "previous_hash": previous_hash, "hash": chain_hash}
            yield _line("event", **place, **event_data(content_of(row), kind=kind))
            events += 1
            while pending is not None and pending.size <= seq:
                yield _line("seal", **_seal_data(pending))
                pending = next(seals, None)
        while pending is not None:  # of a trail whose end was cut
            yield _line("seal", **_seal_data(pending))
            pending = next(seals, None)
    yield _line("end", events=events, checkpoint=checkpoint_data(tenant, last) if last else None)


def event_data(item: EventContent, *, kind: int) -> dict[str, Any]:
    """Return an event's hashed columns as they are hashed; `before` and `after` are the stored texts."""
    return {
        "format": kind,
        "id": str(item.id),
        "tenant": str(item.tenant_id),
        "event": item.event,
        "actor_type": item.actor_type,
        "actor_id": item.actor_id,
        "actor_name": item.actor_name,
        "object_type": item.object_type,
        "object_id": item.object_id,
        "at": time_text(item.at),
        "before": item.before,
        "after": item.after,
        "reason": item.reason,
        "request_id": item.request_id,
    }


def _seal_data(seal: AuditSeal) -> dict[str, Any]:
    return {
        "number": seal.number,
        "size": seal.size,
        "root": seal.root,
        "previous_hash": seal.previous_hash,
        "sealed_at": time_text(seal.sealed_at),
        "key_id": seal.key_id,
        "signature": seal.signature,
        "hash": seal.hash,
    }


def _line(kind: str, **fields: Any) -> str:
    return json.dumps({"kind": kind, **fields}, ensure_ascii=False, separators=(",", ":")) + "\n"
