"""Counts that limits are made of. The first three hold no tenant's data: they count what a principal, a name or an
address did, are looked at before there is a scope, and a lost row costs nothing but a count."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from observability.ids import new_id
from tenancy.choices import QuotaResource
from tenancy.models.people import User
from tenancy.owned import TenantOwned


class RateWindow(models.Model):
    """A sliding window of requests (`tenancy/ratelimits`); the key names its bucket and the id of who is counted.

    No index on `idle_at`: with one, every request would write the index too.
    """

    key = models.CharField(max_length=80, primary_key=True)
    marks = models.BinaryField()
    idle_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class CountedKey(models.Model):
    """A count with an expiry (`tenancy/count_cache.py`)."""

    key = models.CharField(max_length=250, primary_key=True)
    count = models.BigIntegerField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class SignInPlace(models.Model):
    """An address from which a person has signed in; `place` is a keyed hash of both, no address is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=64, unique=True)
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.place[:12]


class QuotaCounter(TenantOwned):
    """What a tenant has used of a quota, and what is reserved; `period` is the month's first day (UTC).

    Storage has no period: its one row carries the day that stands for always (`tenancy/quotas.py`).
    """

    resource = models.CharField(max_length=16, choices=QuotaResource)
    period = models.DateField()
    used = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "resource", "period"], name="quota_counter_once"),
            models.CheckConstraint(name="quota_not_negative", condition=Q(used__gte=0, reserved__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.resource} {self.period}: {self.used}"


class QuotaHold(TenantOwned):
    """Quota held for work under way; whoever deletes the row settles or releases it, so that happens once."""

    period = models.DateField()
    assessments = models.PositiveIntegerField()
    storage_bytes = models.BigIntegerField()
    expires_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["expires_at"], name="quota_hold_expiry")]

    def __str__(self) -> str:
        return f"{self.assessments} assessments, {self.storage_bytes} bytes"
