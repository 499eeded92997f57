"""Rotation of the master key: data keys are wrapped anew, what they sealed is not touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import transaction

from tenancy.errors import VaultUnreadable
from tenancy.models import Tenant, VaultKey
from tenancy.scope import tenant_scope
from tenancy.vault import newest_master, wrap_anew, wrapped_key

log = structlog.get_logger(__name__)

_BATCH = 500


@dataclass(frozen=True)
class Rotation:
    """What a rotation did; `unreadable` are ids of data keys that no given master key opens."""

    version: int
    rewrapped: int
    unreadable: list[str]


def rotate_keys() -> Rotation:
    """Wrap every living data key under the newest master key, batch by batch; raises VaultUnreadable without one.

    Safe to stop, to start again and to run beside readers: each row changes from one whole wrapping to another.
    """
    version, rewrapped, unreadable = newest_master(), 0, []
    for tenant_id in Tenant.objects.order_by("id").values_list("id", flat=True):
        with tenant_scope(tenant_id):
            for batch in _batches(version):
                broken = _rewrap(batch)
                unreadable += broken
                rewrapped += len(batch) - len(broken)
    return Rotation(version, rewrapped, unreadable)


def _batches(version: int) -> Iterator[list[VaultKey]]:
    last: UUID | None = None
    keys = VaultKey.objects.filter(destroyed_at__isnull=True).exclude(master_version=version).order_by("id")
    while batch := list((keys if last is None else keys.filter(id__gt=last))[:_BATCH]):
        yield batch
        last = batch[-1].id


@transaction.atomic(durable=True)
def _rewrap(batch: list[VaultKey]) -> list[str]:
    """Return the ids of the keys that could not be opened."""
    broken = []
    for row in batch:
        try:
            again = wrap_anew(wrapped_key(row))
        except VaultUnreadable as problem:
            log.error("vault_key_not_rotated", key_id=str(row.id), code=problem.code)
            broken.append(str(row.id))
            continue
        # Only over the wrapping that was read: a key that was destroyed meanwhile stays destroyed.
        same = VaultKey.objects.filter(id=row.id, wrapped=row.wrapped)
        same.update(wrapped=again.wrapped, master_version=again.master_version)
    return broken
