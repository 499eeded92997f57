"""What people told with a claim and about themselves, sealed in the vault and opened when somebody reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from tenancy.choices import Readability
from tenancy.models import VaultKey
from tenancy.vault import Opened, Place, read_record, seal_record

CLAIM_TABLE, PARTY_TABLE = "claims_claim", "claims_party"
SEALED = "sealed"


@dataclass(frozen=True)
class Told:
    """The personal part of a claim: it names a vehicle, a place, a file, or says anything at all in free words."""

    vehicle_plate: str = ""
    loss_location: str = ""
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    file_name: str = ""
    state: Readability = Readability.READABLE


@dataclass(frozen=True)
class Contact:
    """Who a party of a claim is and how they are reached."""

    name: str = ""
    email: str = ""
    phone: str = ""
    account: str = ""
    state: Readability = Readability.READABLE


def claim_place(*, claim_id: UUID, tenant_id: UUID | None) -> Place:
    assert tenant_id is not None  # no row is stored without
    return Place(CLAIM_TABLE, SEALED, claim_id, tenant_id)


def party_place(*, party_id: UUID, tenant_id: UUID | None) -> Place:
    assert tenant_id is not None
    return Place(PARTY_TABLE, SEALED, party_id, tenant_id)


def seal(key: VaultKey, content: Told | Contact, *, place: Place) -> str:
    """Return the content sealed for its row, empty when nothing was told; raises VaultUnreadable."""
    return seal_record(key, record_of(content), place=place) if record_of(content) else ""


def record_of(content: Told | Contact) -> dict[str, Any]:
    """Return what was told, without empty values."""
    return {name: value for name, value in asdict(content).items() if value and name != "state"}


def told_of(key: VaultKey | None, sealed: str, *, place: Place) -> Told:
    return Told(**_values(read_record(key, sealed, place=place)))


def contact_of(key: VaultKey | None, sealed: str, *, place: Place) -> Contact:
    return Contact(**_values(read_record(key, sealed, place=place)))


def _values(opened: Opened) -> dict[str, Any]:
    return {**opened.values, "state": opened.state}
