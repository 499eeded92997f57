"""Signed-in browsers, and the rows behind access and refresh tokens. Both are read before there is a tenant scope."""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from observability.ids import new_id
from tenancy.models.people import Tenant, User


class BrowserSession(AbstractBaseSession):
    """One browser's session. `tenancy/session_store.py` writes it; deleting the row signs the browser out.

    Not TenantOwned: a person may belong to several tenants. Kept of the address is its network only.
    """

    # Not unique: while a session gets a new key, Django keeps its old row beside the new one for a moment.
    id = models.UUIDField(default=new_id, db_index=True, editable=False, help_text="Names the session; opens nothing.")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="browser_sessions")
    signed_in_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(help_text="To the minute.")
    network = models.CharField(max_length=45, blank=True, help_text="The address without its last part.")
    browser = models.CharField(max_length=60, blank=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        indexes = [models.Index(fields=["user", "-last_seen_at"], name="session_by_person")]

    def __str__(self) -> str:
        return f"{self.browser or 'Browser'} of {self.user_id}"

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        # The store imports this model, so the model can name it only now.
        from tenancy.session_store import SessionStore  # noqa: PLC0415

        return SessionStore


class TokenFamily(models.Model):
    """One sign-in by `POST /token`: all access and refresh tokens that came from it, alive while this row says so.

    Not TenantOwned: it is what tells the tenant of a token, like a key.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="token_families")
    tenant = models.ForeignKey(
        Tenant,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty for tokens of the platform's operator.",
    )
    refresh_id = models.UUIDField(help_text="The one refresh token of the family that is still good.")
    password_mark = models.CharField(max_length=64, help_text="Another password ends the family.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    network = models.CharField(max_length=45, blank=True, help_text="The address without its last part.")
    client = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-created_at"], name="token_family_by_person"),
            models.Index(fields=["expires_at"], name="token_family_expiry"),
        ]

    def __str__(self) -> str:
        return f"Tokens of {self.user_id} since {self.created_at:%Y-%m-%d}"
