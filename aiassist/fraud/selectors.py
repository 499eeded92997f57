"""Reads of a tenant's fraud models."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from aiassist.choices import FraudModelState
from aiassist.fraud.scoring import FraudModel, fraud_model_from
from aiassist.models import FraudModelVersion


def fraud_model_versions() -> list[FraudModelVersion]:
    """Return the models of the tenant in scope without their numbers, newest first."""
    return list(FraudModelVersion.objects.defer("document").order_by("-number"))


def active_fraud_model() -> FraudModel | None:
    """Return the model that scores the claims of the tenant in scope; None while the scorecard stands alone."""
    found = FraudModelVersion.objects.filter(state=FraudModelState.ACTIVE).values_list("id", "number").first()
    return _loaded(*found) if found else None


# Rows are never changed once written, and an id belongs to one tenant.
@lru_cache(maxsize=64)
def _loaded(row_id: UUID, number: int) -> FraudModel:
    document = FraudModelVersion.objects.values_list("document", flat=True).get(id=row_id)
    return fraud_model_from(document, version=f"fraud-{number}")
