"""The identifiers of a claim become comparable with those of the tenant's other claims."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from claims.link_keys import link_keys_of
from claims.models import Claim, LinkKey, Party
from tenancy.vault import BlindIndex, forget_index, tenant_index

_BATCH = 500


def index_links(claim: Claim, claimant: Party | None, *, now: datetime) -> None:
    """Write the claim's link keys inside the caller's transaction; safe to run twice. Raises VaultUnreadable."""
    LinkKey.objects.bulk_create(_rows(claim, claimant, tenant_index(now=now)), ignore_conflicts=True)


def rebuild_links(*, now: datetime, fresh_key: bool = False) -> int:
    """Write the link keys of every claim of the tenant in scope anew and return how many claims that were.

    With `fresh_key` under a new key of the tenant: after the old one was lost or leaked. Until the end, claims on both
    sides of the change do not match. Raises VaultUnreadable.
    """
    if fresh_key:
        forget_index()
    index = tenant_index(now=now)
    count, last = 0, None
    while batch := list(_claims_after(last)):
        _rebuild(batch, index)
        count, last = count + len(batch), batch[-1]
    return count


def _claims_after(last: Claim | None) -> list[Claim]:
    claims = Claim.objects.only("id", "tenant", "sealed", "subject_key").select_related("subject_key").order_by("id")
    if last is not None:
        claims = claims.filter(id__gt=last.id)
    return list(claims[:_BATCH])


@transaction.atomic(durable=True)
def _rebuild(claims: list[Claim], index: BlindIndex) -> None:
    # Locked, so that an erasure is either seen here or deletes what is written here.
    living = set(
        Claim.objects.select_for_update(no_key=True)
        .filter(id__in=[claim.id for claim in claims], erased_at__isnull=True)
        .values_list("id", flat=True)
    )
    parties = Party.objects.filter(claim__in=living).select_related("claim__subject_key").order_by("-id")
    claimants = {party.claim_id: party for party in parties}  # the first party of a claim is its claimant
    LinkKey.objects.filter(claim__in=claims).delete()
    LinkKey.objects.bulk_create(
        row for claim in claims if claim.id in living for row in _rows(claim, claimants.get(claim.id), index)
    )


def _rows(claim: Claim, claimant: Party | None, index: BlindIndex) -> list[LinkKey]:
    keys = link_keys_of(claim, claimant, index=index)
    return [LinkKey(claim=claim, kind=kind, digest=digest) for kind, digest in keys.items()]
