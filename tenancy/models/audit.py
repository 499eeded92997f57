"""The audit trail: append-only, hash-chained per tenant. Written by `tenancy/audit.py` alone."""

from __future__ import annotations

from django.db import models

from tenancy.append_only import AppendOnly, AppendOnlyQuerySet, AppendOnlyRow
from tenancy.choices import ActorType
from tenancy.owned import TenantManager, TenantOwned


class AuditAppendOnly(AppendOnly):
    code = "audit_append_only"
    message = "The audit trail is only ever added to."


class _EventQuerySet(AppendOnlyQuerySet["AuditEvent"]):
    refusal = AuditAppendOnly


class _EventManager(TenantManager["AuditEvent"]):
    queryset_class = _EventQuerySet


class AuditEvent(AppendOnlyRow):
    """One thing that happened. `before` and `after` are canonical JSON text: the hashed bytes are the stored ones.

    Database triggers refuse UPDATE and DELETE on both engines (`tenancy/audit_guard.py`).
    """

    refusal = AuditAppendOnly

    seq = models.PositiveBigIntegerField()
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
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = _EventManager()

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "seq"], name="audit_seq_once")]
        indexes = [models.Index(fields=["tenant", "object_type", "object_id", "seq"], name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.seq} {self.event}"


class AuditHead(TenantOwned):
    """The end of a tenant's chain; its row lock puts the tenant's events in order."""

    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="audit_head_once")]

    def __str__(self) -> str:
        return f"head {self.seq}"
