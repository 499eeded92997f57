"""Keys of the personal-data vault, and what was erased. Written by `tenancy/vault.py` and `tenancy/erasures.py`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tenancy.append_only import AppendOnly, AppendOnlyQuerySet, AppendOnlyRow
from tenancy.choices import KeyPurpose
from tenancy.owned import TenantManager, TenantOwned


class VaultKey(TenantOwned):
    """A data key, wrapped by a master key: one per claim for its people, one per tenant for comparing.

    Destroying it (`wrapped` empty) makes everything that it sealed unreadable for good.
    """

    purpose = models.CharField(max_length=8, choices=KeyPurpose)
    wrapped = models.CharField(max_length=120, blank=True)
    master_version = models.PositiveIntegerField(help_text="The master key that wraps it.")
    created_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], name="vault_key_one_index", condition=Q(purpose=KeyPurpose.INDEX)
            ),
            models.CheckConstraint(
                name="vault_key_destroyed_is_gone",
                condition=(Q(destroyed_at__isnull=True) & ~Q(wrapped="")) | Q(destroyed_at__isnull=False, wrapped=""),
            ),
        ]
        indexes = [
            # What a rotation of the master key has still to wrap anew.
            models.Index(fields=["master_version", "id"], name="vault_key_by_master", condition=~Q(wrapped="")),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} key {self.id}"


class ErasureAppendOnly(AppendOnly):
    code = "erasure_append_only"
    message = "The erasure journal is only ever added to."


class _ErasureQuerySet(AppendOnlyQuerySet["Erasure"]):
    refusal = ErasureAppendOnly


class _ErasureManager(TenantManager["Erasure"]):
    queryset_class = _ErasureQuerySet


class Erasure(AppendOnlyRow):
    """One line of the erasure journal: ids alone. Database triggers refuse UPDATE and DELETE on both engines."""

    refusal = ErasureAppendOnly

    subject_id = models.UUIDField(help_text="The claim whose personal data was erased.")
    key_id = models.UUIDField(null=True, help_text="The data key that was destroyed.")
    job_id = models.UUIDField(help_text="The job that removes the files.")
    erased_at = models.DateTimeField()

    objects = _ErasureManager()

    class Meta(AppendOnlyRow.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "subject_id"], name="erasure_once")]

    def __str__(self) -> str:
        return f"erasure of {self.subject_id}"
