"""Checkpoints: a seal's signed words as a file that is kept elsewhere, and what a kept one proves later."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenancy.errors import UnusableCheckpoint
from tenancy.models import AuditSeal, Tenant
from tenancy.trail.seals import note_of
from tenancy.trail.signing import Signed, own_public_key

FORMAT = "claimwright-checkpoint-1"
_LINES = 6


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says, read from its signed note alone."""

    tenant_id: UUID
    size: int
    root: bytes
    seal: int
    note: str
    signed: Signed


def checkpoint_data(tenant: Tenant, seal: AuditSeal) -> dict[str, Any]:
    """Return a seal as a checkpoint; `note` and `signature` are what counts, the rest says the same in fields."""
    return {
        "format": FORMAT,
        "tenant": {"id": str(tenant.id), "slug": tenant.slug},
        "size": seal.size,
        "root": seal.root,
        "seal": seal.number,
        "seal_hash": seal.hash,
        "sealed_at": seal.sealed_at.isoformat(),
        "note": note_of(seal),
        "key_id": seal.key_id or None,
        "signature": seal.signature or None,
        "public_key": own_public_key() or None,
    }


def read_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint in a file's text; raises UnusableCheckpoint for anything else."""
    try:
        data = json.loads(text)
        note = str(data["note"])
        origin, size, root, seal, *rest = note.removesuffix("\n").split("\n")
        tenant_id = UUID(origin.removeprefix("claimwright/audit/"))
        signed = Signed(str(data["key_id"] or ""), str(data["signature"] or ""))
        found = Checkpoint(
            tenant_id, int(size), b64decode(root, validate=True), int(seal.removeprefix("seal ")), note, signed
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnusableCheckpoint from error
    if len(rest) != _LINES - 4 or data.get("format") != FORMAT or found.size < 1:
        raise UnusableCheckpoint
    return found
