"""Rows of the opinion engine: answers of models that a repeated job takes instead of paying again."""

from __future__ import annotations

from django.db import models

from tenancy.owned import TenantOwned


class StoredAnswer(TenantOwned):
    """A valid answer to one exact question about one claim; kept for `AI_ANSWER_TTL`.

    Everything that could make another answer right stands in the key, the tenant and the claim first.
    """

    reference = models.CharField(max_length=64, help_text="Id of the claim.")
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120, help_text="The configured model.")
    prompt_version = models.CharField(max_length=40)
    input_hash = models.CharField(max_length=64, help_text="SHA-256 of all that the model was told and shown.")
    served_model = models.CharField(max_length=120)
    content = models.JSONField()
    expires_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "reference", "provider", "model", "prompt_version", "input_hash"],
                name="stored_answer_once",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="stored_answer_expiry")]

    def __str__(self) -> str:
        return f"{self.provider} {self.served_model} {self.input_hash[:8]}"
