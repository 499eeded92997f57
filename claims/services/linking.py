"""The identifiers of a claim become comparable with those of the tenant's other claims."""

from __future__ import annotations

from django.db import transaction

from claims.link_keys import link_keys_of
from claims.models import Claim, LinkKey, Party

_BATCH = 500


def index_links(claim: Claim, claimant: Party | None) -> None:
    """Write the claim's link keys inside the caller's transaction; safe to run twice."""
    LinkKey.objects.bulk_create(_rows(claim, claimant), ignore_conflicts=True)


def rebuild_links() -> int:
    """Write the link keys of every claim of the tenant in scope anew and return how many claims that were.

    For claims that are older than the index, and after the secret key has changed (old digests match nothing then).
    """
    count, last = 0, None
    while batch := list(_claims_after(last)):
        _rebuild(batch)
        count, last = count + len(batch), batch[-1]
    return count


def _claims_after(last: Claim | None) -> list[Claim]:
    claims = Claim.objects.only("id", "tenant", "vehicle_plate").order_by("id")
    if last is not None:
        claims = claims.filter(id__gt=last.id)
    return list(claims[:_BATCH])


@transaction.atomic(durable=True)
def _rebuild(claims: list[Claim]) -> None:
    parties = Party.objects.filter(claim__in=claims).order_by("-id")
    claimants = {party.claim_id: party for party in parties}  # the first party of a claim is its claimant
    LinkKey.objects.filter(claim__in=claims).delete()
    LinkKey.objects.bulk_create(row for claim in claims for row in _rows(claim, claimants.get(claim.id)))


def _rows(claim: Claim, claimant: Party | None) -> list[LinkKey]:
    keys = link_keys_of(claim, claimant)
    return [LinkKey(claim=claim, kind=kind, digest=digest) for kind, digest in keys.items()]
