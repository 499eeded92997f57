"""What makes two claims of one tenant comparable: keyed digests of what identifies a person or a vehicle."""

from __future__ import annotations

from django.db import models

from claims.models.claim import Claim
from tenancy.owned import TenantOwned


class LinkKeyKind(models.TextChoices):
    """`NAME` links nothing by itself: it tells a claimant's own earlier claim from another person's."""

    PLATE = "PLATE", "Vehicle plate"
    PHONE = "PHONE", "Phone"
    EMAIL = "EMAIL", "E-mail"
    ACCOUNT = "ACCOUNT", "Account"
    NAME = "NAME", "Name"


class LinkKey(TenantOwned):
    """One identifier of a claim as a digest under the tenant's own key: it can be compared and not be read.

    The digest of the same phone differs between tenants, so that nothing can ever be linked across them.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="link_keys")
    kind = models.CharField(max_length=8, choices=LinkKeyKind)
    digest = models.CharField(max_length=64)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "claim", "kind", "digest"], name="link_key_once"),
        ]
        indexes = [
            # One range of this index answers "which claims share it, newest first".
            models.Index(fields=["tenant", "kind", "digest", "-claim"], name="link_key_shared"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.claim_id}"
