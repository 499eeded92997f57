"""Other claims of the tenant that share a plate, phone, e-mail or account with this one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aiassist.types import ClaimLink, LinkKind, LinkRelation
from claims.link_keys import LinkKeys
from claims.models import Claim, LinkKey, LinkKeyKind
from claims.visibility import shown_number

# Enough for a reviewer to see a pattern. What more claims than this share is a fleet, a broker or a repairer, and says
# little about any one of them.
MOST_LINKED = 20

_KINDS = {
    LinkKeyKind.ACCOUNT: LinkKind.ACCOUNT,
    LinkKeyKind.PHONE: LinkKind.PHONE,
    LinkKeyKind.EMAIL: LinkKind.EMAIL,
    LinkKeyKind.PLATE: LinkKind.PLATE,
}


def linked_claims(claim: Claim) -> tuple[ClaimLink, ...]:
    """Return the newest claims of the tenant that share an identifier, at most `MOST_LINKED` per kind.

    Costs at most six queries, each of one range of an index, whatever the tenant's size.
    """
    keys: LinkKeys = {
        LinkKeyKind(kind): digest
        for kind, digest in LinkKey.objects.filter(claim_id=claim.id).values_list("kind", "digest")
    }
    sharing = {kind: _sharing(claim, kind, keys[kind]) for kind in _KINDS if kind in keys}
    names = _names_of({other.claim_id for others in sharing.values() for other in others})
    return tuple(
        ClaimLink(
            kind=_KINDS[kind],
            relation=_relation(keys, names.get(other.claim_id)),
            claim_number=shown_number(other.claim.claim_number, other.claim.restricted),
            common=len(others) > MOST_LINKED,
        )
        for kind, others in sharing.items()
        for other in others[:MOST_LINKED]
    )


def _sharing(claim: Claim, kind: LinkKeyKind, digest: str) -> Sequence[LinkKey]:
    rows = LinkKey.objects.filter(kind=kind, digest=digest).exclude(claim_id=claim.id)
    # Ids sort by time; one more than is shown tells whether there are more.
    shown = ("claim_id", "tenant_id", "claim__claim_number", "claim__restricted")
    newest = rows.order_by("-claim_id").select_related("claim").only(*shown)
    return list(newest[: MOST_LINKED + 1])


def _names_of(claim_ids: set[UUID]) -> dict[UUID, str]:
    if not claim_ids:
        return {}
    rows = LinkKey.objects.filter(kind=LinkKeyKind.NAME, claim_id__in=claim_ids)
    return dict(rows.values_list("claim_id", "digest"))


def _relation(keys: LinkKeys, other_name: str | None) -> LinkRelation:
    own_name = keys.get(LinkKeyKind.NAME)
    if own_name is None or other_name is None:
        return LinkRelation.UNKNOWN
    return LinkRelation.OWN if own_name == other_name else LinkRelation.OTHER
