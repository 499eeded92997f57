"""Puts what people told into the vault, on rows that are about to be written."""

from __future__ import annotations

from claims.choices import PartyRole
from claims.models import Claim, Party
from claims.models.told import Contact, Told, claim_place, party_place, seal
from tenancy.models import VaultKey


def seal_told(claim: Claim, told: Told, *, key: VaultKey) -> None:
    """Set the claim's key and its sealed part; the caller writes the row. Raises VaultUnreadable."""
    claim.subject_key = key
    claim.sealed = seal(key, told, place=claim_place(claim_id=claim.id, tenant_id=claim.tenant_id))


def sealed_party(claim: Claim, contact: Contact, *, role: PartyRole = PartyRole.CLAIMANT) -> Party:
    """Return an unsaved party of the claim under the claim's key; raises VaultUnreadable."""
    assert claim.subject_key is not None  # set by `seal_told`
    party = Party(claim=claim, role=role)
    party.sealed = seal(claim.subject_key, contact, place=party_place(party_id=party.id, tenant_id=party.tenant_id))
    return party
