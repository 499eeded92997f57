"""What proves a person beside the password: a second factor, its recovery codes, identities at their provider."""

from __future__ import annotations

from django.db import models

from observability.ids import new_id
from tenancy.models.people import User


class SecondFactor(models.Model):
    """A person's authenticator app. `last_step` is the newest time step whose code was accepted: none works twice."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="second_factor")
    sealed_secret = models.TextField(help_text="Encrypted; see tenancy/secret_sealing.py.")
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="Empty until a first code was right.")
    last_step = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"Second factor of {self.user_id}"


class RecoveryCode(models.Model):
    """One of the codes that stand in for a lost authenticator, each good once. Only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_sha256 = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code_sha256"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"Recovery code of {self.user_id}"


class SignOnIdentity(models.Model):
    """Who a person is at an identity provider: issuer and subject, never an e-mail address, which changes hands."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_on_identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="sign_on_identity_once")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.issuer}"
