"""The personal-data vault: a data key per subject, wrapped by a versioned master key; destroying the key erases.

Sealed text is bound to its place (table, column, row, tenant), so that it cannot be read in another row. Identifiers
are compared by a keyed digest under the tenant's own key. What cannot be read is told as a state, never raised at a
reader: the page around it stays usable. Master keys come from `settings.VAULT_MASTER_KEYS`, the highest version wraps.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from observability.ids import new_id
from tenancy.choices import KeyPurpose, Readability
from tenancy.errors import VaultUnreadable
from tenancy.models.vault import VaultKey
from tenancy.scope import current_tenant_id
from tenancy.sealing import BrokenSeal, new_key, seal, unseal

log = structlog.get_logger(__name__)

_KEY_MISSING, _BROKEN_SEAL = "vault_key_missing", "vault_broken_seal"


@dataclass(frozen=True)
class Place:
    """Where a sealed text stands; it opens nowhere else."""

    table: str
    column: str
    row_id: UUID
    tenant_id: UUID

    def __bytes__(self) -> bytes:
        return f"{self.table}|{self.column}|{self.row_id}|{self.tenant_id}".encode()


@dataclass(frozen=True)
class WrappedKey:
    """A data key as its row holds it."""

    key_id: UUID
    tenant_id: UUID
    purpose: str
    wrapped: str
    master_version: int

    @property
    def place(self) -> bytes:
        return bytes(Place("tenancy_vaultkey", f"wrapped:{self.purpose}", self.key_id, self.tenant_id))


@dataclass(frozen=True)
class Opened:
    """What a sealed record holds, or why it holds nothing."""

    state: Readability
    values: Mapping[str, Any] = field(default_factory=dict)


def wrap_new_key(*, tenant_id: UUID, purpose: KeyPurpose) -> tuple[WrappedKey, bytes]:
    """Return a fresh data key, wrapped and plain; writes nothing. Raises VaultUnreadable without a master key."""
    return _wrapped(new_key(), key_id=new_id(), tenant_id=tenant_id, purpose=purpose)


def unwrap(key: WrappedKey) -> bytes:
    """Return the plain data key; raises VaultUnreadable."""
    master = settings.VAULT_MASTER_KEYS.get(key.master_version)
    if master is None:
        raise VaultUnreadable(f"Master key {key.master_version} is not among those given.", code=_KEY_MISSING)
    try:
        return unseal(master, key.wrapped, place=key.place)
    except BrokenSeal as problem:
        raise VaultUnreadable("A data key does not open with its master key.", code=_BROKEN_SEAL) from problem


def wrap_anew(key: WrappedKey) -> WrappedKey:
    """Return the same data key under the newest master key; raises VaultUnreadable."""
    again, _plain = _wrapped(unwrap(key), key_id=key.key_id, tenant_id=key.tenant_id, purpose=KeyPurpose(key.purpose))
    return again


def key_text(version: int, key: bytes) -> str:
    """Return a master key as `VAULT_MASTER_KEY` takes it."""
    return f"{version}:{base64.b64encode(key).decode('ascii')}"


def newest_master() -> int:
    """Return the version that wraps; raises VaultUnreadable without any master key."""
    if not settings.VAULT_MASTER_KEYS:
        raise VaultUnreadable("There is no master key.", code=_KEY_MISSING)
    return max(settings.VAULT_MASTER_KEYS)


def make_subject_key(*, now: datetime) -> VaultKey:
    """Insert a data key for one subject of the tenant in scope; raises VaultUnreadable without a master key."""
    fresh, _plain = wrap_new_key(tenant_id=current_tenant_id(), purpose=KeyPurpose.SUBJECT)
    row: VaultKey = VaultKey.objects.create(**_columns(fresh), created_at=now)
    return row


def destroy_key(*, key_id: UUID, now: datetime) -> bool:
    """Destroy a data key for good, inside the caller's transaction; False when it was destroyed before."""
    living = VaultKey.objects.filter(id=key_id, destroyed_at__isnull=True)
    return bool(living.update(wrapped="", destroyed_at=now))


def seal_record(key: VaultKey, record: Mapping[str, Any], *, place: Place) -> str:
    """Return the record sealed under the key for its place; raises VaultUnreadable."""
    return seal_values(unwrap(wrapped_key(key)), record, place=place)


def read_record(key: VaultKey | None, sealed: str, *, place: Place) -> Opened:
    """Return what the sealed text holds; what cannot be read is logged by place and code, never raised."""
    if key is not None and key.destroyed_at is not None:
        return Opened(Readability.ERASED)
    if not sealed:
        return Opened(Readability.READABLE)
    try:
        if key is None:
            raise VaultUnreadable("The data key is not there.", code=_KEY_MISSING)
        return Opened(Readability.READABLE, open_values(unwrap(wrapped_key(key)), sealed, place=place))
    except VaultUnreadable as problem:
        log.error("vault_unreadable", code=problem.code, table=place.table, row_id=str(place.row_id))
        return Opened(Readability.UNREADABLE)


def seal_values(plain_key: bytes, record: Mapping[str, Any], *, place: Place) -> str:
    """Return the record sealed under a plain data key."""
    content = json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return seal(plain_key, content.encode(), place=bytes(place))


def open_values(plain_key: bytes, sealed: str, *, place: Place) -> dict[str, Any]:
    """Return the record under a plain data key; raises VaultUnreadable."""
    try:
        values: dict[str, Any] = json.loads(unseal(plain_key, sealed, place=bytes(place)))
    except BrokenSeal as problem:
        raise VaultUnreadable(code=_BROKEN_SEAL) from problem
    return values


def wrapped_key(row: VaultKey) -> WrappedKey:
    """Return the key of a row (also of a migration's historical one)."""
    assert row.tenant_id is not None  # no row is stored without
    return WrappedKey(row.id, row.tenant_id, row.purpose, row.wrapped, row.master_version)


@dataclass(frozen=True)
class BlindIndex:
    """Compares identifiers without holding them: equal texts of one tenant have equal digests."""

    tenant_id: UUID
    key: bytes

    def digest(self, kind: str, text: str) -> str:
        """Return the HMAC-SHA-256 of a normalised identifier."""
        return hmac.digest(self.key, f"{self.tenant_id}|{kind}|{text}".encode(), "sha256").hex()


def known_index() -> BlindIndex | None:
    """Return the index of the tenant in scope, None when nothing was indexed yet; raises VaultUnreadable."""
    row: VaultKey | None = VaultKey.objects.filter(purpose=KeyPurpose.INDEX).first()
    return BlindIndex(current_tenant_id(), unwrap(wrapped_key(row))) if row is not None else None


def tenant_index(*, now: datetime) -> BlindIndex:
    """Return the index of the tenant in scope, made when it is first needed; raises VaultUnreadable."""
    known = known_index()
    if known is None:
        fresh, _plain = wrap_new_key(tenant_id=current_tenant_id(), purpose=KeyPurpose.INDEX)
        # Of two first ones at once the constraint lets one through; both then read that one.
        VaultKey.objects.bulk_create([VaultKey(**_columns(fresh), created_at=now)], ignore_conflicts=True)
        known = known_index()
    assert known is not None  # inserted above, and nothing deletes it but `forget_index`
    return known


def forget_index() -> None:
    """Delete the tenant's index key, so that the next one is fresh; all its digests must then be made anew."""
    VaultKey.objects.filter(purpose=KeyPurpose.INDEX).delete()


def _wrapped(plain: bytes, *, key_id: UUID, tenant_id: UUID, purpose: KeyPurpose) -> tuple[WrappedKey, bytes]:
    version = newest_master()
    bare = WrappedKey(key_id, tenant_id, purpose, "", version)
    wrapped = seal(settings.VAULT_MASTER_KEYS[version], plain, place=bare.place)
    return WrappedKey(key_id, tenant_id, purpose, wrapped, version), plain


def _columns(key: WrappedKey) -> dict[str, Any]:
    return {
        "id": key.key_id,
        "tenant_id": key.tenant_id,
        "purpose": key.purpose,
        "wrapped": key.wrapped,
        "master_version": key.master_version,
    }
