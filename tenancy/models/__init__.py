"""Who there is, what they may do, and what is remembered about it."""

from tenancy.models.access import ApiKey, IdempotencyRecord
from tenancy.models.audit import AuditEvent, AuditHead, AuditNode, AuditPlace, AuditSeal, AuditUnsealed
from tenancy.models.costs import Budget, BudgetAlert, SpendAnomaly, SpendCounter, SpendReservation, UsageMeter
from tenancy.models.factors import RecoveryCode, SecondFactor, SignOnIdentity
from tenancy.models.ledger import CostRecord
from tenancy.models.limits import CountedKey, QuotaCounter, QuotaHold, RateWindow, SignInPlace
from tenancy.models.people import Membership, Tenant, User
from tenancy.models.sessions import BrowserSession, TokenFamily
from tenancy.models.vault import Erasure, VaultKey
from tenancy.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

__all__ = [
    "ApiKey",
    "AuditEvent",
    "AuditHead",
    "AuditNode",
    "AuditPlace",
    "AuditSeal",
    "AuditUnsealed",
    "BrowserSession",
    "Budget",
    "BudgetAlert",
    "CostRecord",
    "CountedKey",
    "Erasure",
    "IdempotencyRecord",
    "Membership",
    "QuotaCounter",
    "QuotaHold",
    "RateWindow",
    "RecoveryCode",
    "SecondFactor",
    "SignInPlace",
    "SignOnIdentity",
    "SpendAnomaly",
    "SpendCounter",
    "SpendReservation",
    "Tenant",
    "TokenFamily",
    "UsageMeter",
    "User",
    "VaultKey",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
]
