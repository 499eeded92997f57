"""Closed lists of the tenancy floor."""

from django.db import models


class TenantStatus(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Suspended"
    CLOSED = "CLOSED", "Closed"


class Tier(models.TextChoices):
    FREE = "FREE", "Free"
    BASIC = "BASIC", "Basic"
    PROFESSIONAL = "PROFESSIONAL", "Professional"
    ENTERPRISE = "ENTERPRISE", "Enterprise"


class Role(models.TextChoices):
    """What a person is in a tenant. The platform's OPERATOR is no tenant role (`User.is_operator`)."""

    CLIENT = "CLIENT", "Client"
    ANALYST = "ANALYST", "Reviewer"
    SUPERVISOR = "SUPERVISOR", "Supervisor"
    AUDITOR = "AUDITOR", "Auditor"
    ADMIN = "ADMIN", "Administrator"


class Scope(models.TextChoices):
    """What a credential may do; roles and keys are sets of these."""

    READ = "read", "Read claims, documents, assessments, tasks, tenant"
    WRITE = "write", "Create and change claims and documents"
    REVIEW = "review", "Queue, leases, decisions, history"
    SUPERVISE = "supervise", "Second review, reassignment, reopening"
    AUDIT = "audit", "Verify and read the audit trail"
    ADMIN = "admin", "Keys, settings, costs of the own tenant"
    OPS = "ops", "Operate the platform; no tenant data"


class QuotaResource(models.TextChoices):
    ASSESSMENTS = "ASSESSMENTS", "Assessments"
    STORAGE_BYTES = "STORAGE_BYTES", "Stored bytes"


class ActorType(models.TextChoices):
    AI = "AI", "AI"
    HUMAN = "HUMAN", "Person"
    SYSTEM = "SYSTEM", "System"


class CostCategory(models.TextChoices):
    """`INFERENCE`: a model on a server of our own. `THIRD_PARTY`: a call that somebody sends a bill for.

    The others are booked once a day: requests of the API as counted, storage and database as estimated.
    """

    INFERENCE = "INFERENCE", "Inference"
    THIRD_PARTY = "THIRD_PARTY", "Third party"
    API_CALL = "API_CALL", "API calls"
    STORAGE = "STORAGE", "Storage"
    DATABASE = "DATABASE", "Database"


class SpendSpan(models.TextChoices):
    """What a counter of money spans, in UTC; an hour counts calls of models alone."""

    MONTH = "MONTH", "Month"
    DAY = "DAY", "Day"
    HOUR = "HOUR", "Hour"


class BudgetPeriod(models.TextChoices):
    MONTH = "MONTH", "Month"
    DAY = "DAY", "Day"


class BudgetPolicy(models.TextChoices):
    """What happens at the limit. No claim ever fails for it: what no model may judge is judged by the rules."""

    ALERT = "ALERT", "Only tell"
    LOCAL = "LOCAL", "Use the local model, else the rules"
    RULES = "RULES", "Use the rules alone"


class DisabledReason(models.TextChoices):
    """Why nothing is sent to a webhook endpoint. `GONE`: it answered 410. `FAILING`: nothing arrived for days."""

    BY_PERSON = "BY_PERSON", "Switched off"
    GONE = "GONE", "Answered 410 Gone"
    FAILING = "FAILING", "Failed for three days"


class DeliveryState(models.TextChoices):
    """`CANCELLED`: not tried (any more), because the endpoint is disabled or the tenant may not send."""

    PENDING = "PENDING", "On its way"
    DELIVERED = "DELIVERED", "Delivered"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


class KeyPurpose(models.TextChoices):
    SUBJECT = "SUBJECT", "Personal data of one claim"
    INDEX = "INDEX", "Comparing identifiers within a tenant"


class Readability(models.TextChoices):
    """What became of sealed personal data."""

    READABLE = "READABLE", "Readable"
    ERASED = "ERASED", "Erased"
    UNREADABLE = "UNREADABLE", "Cannot be read"
