"""API keys and stored answers to repeated requests."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from observability.ids import new_id
from tenancy.models.people import Tenant, User
from tenancy.owned import TenantOwned
from tenancy.row_security import OwnWithinScope


class ApiKey(models.Model):
    """A key of a person in a tenant. Only its SHA-256 is stored; the secret is shown once.

    Not TenantOwned: the key is what tells the tenant, so it is looked up before there is a scope.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        Tenant,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="api_keys",
        help_text="Empty for a key of the platform's operator.",
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=20, help_text="The visible beginning, to tell keys apart.")
    secret_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Empty: the default rate. Never more than the tenant's tier allows."
    )
    rotated_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [OwnWithinScope(name="tenancy_apikey_isolation")]
        indexes = [models.Index(fields=["tenant", "-created_at"], name="api_key_by_tenant")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class IdempotencyRecord(TenantOwned):
    """The stored answer to one creating request; `response_status` is null while that request runs."""

    principal_id = models.UUIDField()
    route = models.CharField(max_length=120)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, blank=True)
    locked_until = models.DateTimeField()
    expires_at = models.DateTimeField()
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_body = models.JSONField(null=True, blank=True)
    response_headers = models.JSONField(default=dict, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "principal_id", "route", "key"], name="idempotency_once"),
            models.CheckConstraint(
                name="idempotency_answer_whole",
                condition=Q(response_status__isnull=True) | ~Q(fingerprint=""),
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="idempotency_expiry")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
