"""Named failures of the tenancy floor."""

from observability.errors import (
    Conflict,
    InvalidInput,
    LimitReached,
    NotAuthenticated,
    PermissionRefused,
    PlatformError,
    Unavailable,
    UnusableContent,
)


class MissingTenantScope(PlatformError):
    """A tenant's rows were asked for outside any tenant scope: a fault of ours, never of the caller."""

    code = "missing_tenant_scope"
    message = "No tenant is chosen."


class CrossTenantWrite(PlatformError):
    """A row of one tenant was about to be written or linked inside another tenant's scope."""

    code = "cross_tenant_write"
    message = "The object belongs elsewhere."


class TenantMismatch(PermissionRefused):
    """The tenant named by header or host is not one the credential belongs to."""

    code = "tenant_mismatch"
    message = "The tenant named in the request is not the credential's."


class TenantInactive(PermissionRefused):
    code = "tenant_inactive"
    message = "This tenant is suspended or closed."


class InvalidCredential(NotAuthenticated):
    code = "invalid_credential"
    message = "The credential is unknown, expired or revoked."


class TokenExpired(NotAuthenticated):
    code = "token_expired"
    message = "The access or refresh token is over."


class TokenReused(NotAuthenticated):
    """A refresh token came a second time, so one of the two senders is a thief: the whole family is dead."""

    code = "token_reused"
    message = "This refresh token was used before; sign in again."


class SignInRefused(NotAuthenticated):
    code = "sign_in_refused"
    message = "That name and password do not match."


class SecondFactorRequired(NotAuthenticated):
    code = "second_factor_required"
    message = "A code of the authenticator app is needed as well."


class SecondFactorRefused(NotAuthenticated):
    code = "second_factor_refused"
    message = "That code is wrong or was used before."


class SignOnRequired(PermissionRefused):
    code = "sso_required"
    message = "This tenant asks for single sign-on through its own identity provider."


class IdentityRefused(PermissionRefused):
    """What the identity provider says does not let anyone in; `reason` is for the log, not for the caller."""

    code = "identity_refused"
    message = "The identity provider’s answer cannot be accepted."

    def __init__(self, message: str | None = None, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class TenantRequired(InvalidInput):
    code = "tenant_required"
    message = "You belong to several tenants: name one of them."


class SecondFactorOn(Conflict):
    code = "second_factor_on"
    message = "A second factor is set up already; turn it off first."


class KeyNotActive(Conflict):
    code = "api_key_not_active"
    message = "This key is revoked, expired or already rotated."


class KeyBeyondRights(PermissionRefused):
    code = "scope_not_allowed"
    message = "A key never has more than its creator and its holder have."


class StaleTenant(Conflict):
    code = "stale"
    message = "The tenant was changed in the meantime."


class InvalidCursor(InvalidInput):
    code = "invalid_cursor"
    message = "The cursor is not valid for this list."


class UnknownParameter(InvalidInput):
    code = "unknown_parameter"
    message = "The request has a parameter that this list does not know."


class RateLimited(LimitReached):
    code = "rate_limited"
    message = "Too many requests; come back when the time in Retry-After is over."


class QuotaExceeded(LimitReached):
    """The tenant's quota has no room for this."""

    code = "quota_exceeded"
    message = "The tenant's quota is used up."


class QuotaNotCustom(Conflict):
    code = "quota_not_custom"
    message = "Only tenants of the tier Enterprise have quotas of their own."


class IdempotencyKeyReused(UnusableContent):
    code = "idempotency_key_reused"
    message = "This idempotency key was used with another request."


class IdempotencyInProgress(Conflict):
    code = "idempotency_in_progress"
    message = "A request with this idempotency key is still running."


class VaultUnreadable(Unavailable):
    """A master key is missing or wrong, or a sealed text was tampered with or moved; the code says which."""

    code = "vault_unreadable"
    message = "Personal data cannot be read or stored right now."


class NotSealedYet(Conflict):
    code = "audit_not_sealed"
    message = "The event was written a moment ago and awaits its seal."


class TrailDamaged(Conflict):
    code = "audit_damaged"
    message = "The audit trail does not fit together here; verify_audit says what is wrong."


class UnusableCheckpoint(InvalidInput):
    code = "unusable_checkpoint"
    message = "This is no checkpoint of an audit trail."


class UnknownSize(InvalidInput):
    code = "unknown_tree_size"
    message = "The trail has not been as long as that yet."
