"""Tenants, people, and who is what in which tenant. These tables know all tenants, so they are not TenantOwned."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models

from observability.ids import new_id
from tenancy.choices import Role, TenantStatus, Tier
from tenancy.row_security import OwnWithinScope


class Tenant(models.Model):
    """An insurer or claims department. `settings` holds the switches that `tenancy/settings.py` declares."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(
        max_length=40, unique=True, validators=[RegexValidator(r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
    )
    name = models.CharField(max_length=120)
    tier = models.CharField(max_length=16, choices=Tier, default=Tier.FREE)
    status = models.CharField(max_length=16, choices=TenantStatus, default=TenantStatus.ACTIVE)
    settings = models.JSONField(default=dict, blank=True)
    custom_assessments_per_month = models.PositiveIntegerField(
        null=True, blank=True, help_text="For the tier Enterprise only; empty: unlimited."
    )
    custom_storage_gb = models.PositiveIntegerField(
        null=True, blank=True, help_text="For the tier Enterprise only; empty: unlimited."
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person. Usernames are unique on the platform; rights come from memberships."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    is_operator = models.BooleanField(default=False, help_text="Operates the platform; sees no tenant's data.")

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Membership(models.Model):
    """A person's role in a tenant."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),
            OwnWithinScope(name="tenancy_membership_isolation"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} at {self.tenant}"
