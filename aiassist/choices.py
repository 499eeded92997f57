"""Closed lists of the opinion engine's own rows."""

from __future__ import annotations

from django.db import models

from tenancy.audit import AuditAction


class FraudModelState(models.TextChoices):
    """One model of a tenant is active at most; a refused one can never become it."""

    CANDIDATE = "CANDIDATE", "Candidate"
    ACTIVE = "ACTIVE", "Active"
    RETIRED = "RETIRED", "Retired"
    REFUSED = "REFUSED", "Refused by the gate"


class ReportCause(models.TextChoices):
    """Why a health report was made."""

    SCHEDULED = "SCHEDULED", "Scheduled"
    ON_DEMAND = "ON_DEMAND", "On demand"


class EngineAction(AuditAction):
    """What the history can tell of the engine's models."""

    FRAUD_MODEL_TRAINED = "fraud_model.trained"
    FRAUD_MODEL_ACTIVATED = "fraud_model.activated"
    FRAUD_MODEL_RETIRED = "fraud_model.retired"
    DRIFT_REFERENCE_SET = "drift_reference.set"
    HEALTH_REPORT_REQUESTED = "health_report.requested"
