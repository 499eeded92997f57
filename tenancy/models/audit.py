"""The audit trail: append-only events, and the seals that make them evident.

Events are written by `tenancy/audit.py` alone, everything else here by `tenancy/trail/sealing.py` alone. Database
triggers refuse UPDATE, DELETE and TRUNCATE on both engines (`tenancy/audit_guard.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models

from tenancy.append_only import AppendOnly, AppendOnlyQuerySet, AppendOnlyRow
from tenancy.choices import ActorType
from tenancy.owned import TenantManager, TenantOwned
from tenancy.row_security import OwnWithinScope
from tenancy.scope import default_tenant_id
from tenancy.trail.format import CHAINED, LEAF, EventContent


class AuditAppendOnly(AppendOnly):
    code = "audit_append_only"
    message = "The audit trail is only ever added to."


class _TrailQuerySet(AppendOnlyQuerySet[Any]):
    refusal = AuditAppendOnly

    def insert_all(self, rows: Iterable[Any]) -> None:
        """Insert many rows at once, and nothing but insert."""
        super(AppendOnlyQuerySet, self).bulk_create(list(rows))


class _TrailManager(TenantManager[Any]):
    queryset_class = _TrailQuerySet

    def insert_all(self, rows: Iterable[Any]) -> None:
        queryset: Any = self.get_queryset()
        queryset.insert_all(rows)


class AuditEvent(AppendOnlyRow):
    """One thing that happened. `before` and `after` are canonical JSON text: the hashed bytes are the stored ones.

    Where it stands in the trail is another row (`place`), added when it is sealed.
    """

    refusal = AuditAppendOnly

    # No index on the tenant alone: it is the beginning of two others. And while a trail is young the check that the
    # event of a place is there would be planned by it, once a session, and read the whole trail for each.
    tenant = models.ForeignKey(
        "tenancy.Tenant",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        default=default_tenant_id,
        db_index=False,
    )
    format = models.PositiveSmallIntegerField(choices=[(CHAINED, "chained"), (LEAF, "leaf")], default=LEAF)
    event = models.CharField(max_length=64)
    actor_type = models.CharField(max_length=8, choices=ActorType)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=150)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    before = models.TextField()
    after = models.TextField()
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    leaf_hash = models.CharField(max_length=64, blank=True, help_text="Of the leaf format; a chained event has none.")

    objects = _TrailManager()

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "object_type", "object_id", "id"], name="audit_by_object")]

    def __str__(self) -> str:
        return self.event

    @property
    def content(self) -> EventContent:
        """The hashed columns."""
        assert self.tenant_id is not None
        return EventContent(
            self.id,
            self.tenant_id,
            self.event,
            str(self.actor_type),
            self.actor_id,
            self.actor_name,
            self.object_type,
            self.object_id,
            self.at,
            self.before,
            self.after,
            self.reason,
            self.request_id,
        )

    @property
    def place_or_none(self) -> AuditPlace | None:
        """Where it stands, None while it awaits its seal. A query, unless `place` was selected along."""
        try:
            return self.place
        except AuditPlace.DoesNotExist:
            return None


class AuditPlace(AppendOnlyRow):
    """An event's place in its tenant's trail: number `seq` (from 1) of the chain, and leaf `seq - 1` of the tree."""

    refusal = AuditAppendOnly

    # The key (tenant, event), which the base adds, leads to the event and by it to the tenant. Checking Django's two as
    # well was two fifths of what a seal costs; the index on the tenant alone is the beginning of two others.
    tenant = models.ForeignKey(
        "tenancy.Tenant",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        default=default_tenant_id,
        db_constraint=False,
        db_index=False,
    )
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="place", db_constraint=False)
    seq = models.PositiveBigIntegerField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = _TrailManager()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "seq"], name="audit_place_once")]

    def __str__(self) -> str:
        return str(self.seq)


class AuditSeal(AppendOnlyRow):
    """The tree's root when it had `size` leaves, chained to the seal before, and signed where there is a key."""

    refusal = AuditAppendOnly

    number = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    root = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()
    key_id = models.CharField(max_length=16, blank=True)
    signature = models.CharField(max_length=88, blank=True)
    hash = models.CharField(max_length=64)

    objects = _TrailManager()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="audit_seal_once")]
        indexes = [models.Index(fields=["tenant", "size"], name="audit_seal_by_size")]

    def __str__(self) -> str:
        return f"seal {self.number}"


class AuditNode(AppendOnlyRow):
    """The root of a complete subtree of 256, 65,536, … leaves, so that a proof reads few rows."""

    refusal = AuditAppendOnly

    level = models.PositiveSmallIntegerField()
    position = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=64)

    objects = _TrailManager()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "level", "position"], name="audit_node_once")]

    def __str__(self) -> str:
        return f"{self.level}/{self.position}"


class AuditHead(TenantOwned):
    """The end of a tenant's trail; its row lock lets one sealer at a time append. It only ever moves forward."""

    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    seal_number = models.PositiveBigIntegerField(default=0)
    seal_hash = models.CharField(max_length=64)
    edge = models.TextField(blank=True, help_text="Roots of the tree's complete subtrees, the largest first.")

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="audit_head_once")]

    def __str__(self) -> str:
        return f"head {self.seq}"


class AuditUnsealed(models.Model):
    """An event that awaits its seal (PostgreSQL; on SQLite events are sealed as they are written).

    Not a tenant's row: the sealer looks here for the tenants that it has work for. It holds ids alone.
    """

    event_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    leaf_hash = models.CharField(max_length=64)
    # The transaction that wrote the event (xid8, which never wraps).
    xid = models.BigIntegerField()
    written_at = models.DateTimeField()

    class Meta:
        constraints = [OwnWithinScope(name="tenancy_auditunsealed_isolation")]
        indexes = [models.Index(fields=["tenant_id", "xid"], name="audit_unsealed_by_tenant")]
        verbose_name_plural = "unsealed events"

    def __str__(self) -> str:
        return str(self.event_id)
