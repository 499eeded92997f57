"""Exceptions to what a role may see: one claim opened to one person. Rows are written through django-guardian."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from guardian.managers import UserObjectPermissionManager
from guardian.models import UserObjectPermissionBase

from claims.models.claim import Claim
from tenancy.owned import TenantManager, TenantOwned


class _GrantManager(UserObjectPermissionManager, TenantManager["ClaimGrant"]):
    """Guardian's way to write, inside the tenant's scope."""


class ClaimGrant(UserObjectPermissionBase, TenantOwned):
    """One permission on one claim for one person.

    A key of its own to the claim, not guardian's generic one: a generic row outlives its object, and whatever gets the
    same id later would be open to the old holder.
    """

    content_object = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="grants")

    objects: ClassVar[_GrantManager] = _GrantManager()  # type: ignore[misc]  # each base declares it in its own way

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user", "permission", "content_object"], name="claim_grant_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.content_object_id}"
