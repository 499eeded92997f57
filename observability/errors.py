"""The one error base of the project: a stable code, a human message, safe extras. Knows no HTTP status.

Services raise these; `config/http_errors.py` alone turns a category into an HTTP answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldProblem:
    """One broken field of an input: `pointer` is a JSON pointer (``/claimant/email``) or ``/`` for the whole."""

    pointer: str
    code: str
    detail: str


class PlatformError(Exception):
    """Base of every expected failure. `message` may be shown to the caller, so it never holds personal data."""

    code = "platform_error"
    message = "The request could not be carried out."

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        problems: Sequence[FieldProblem] = (),
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.code = code or type(self).code
        self.problems = tuple(problems)
        self.extra = dict(extra or {})
        super().__init__(self.message)


class InvalidInput(PlatformError):
    """The shape of the input is wrong: a missing, unknown or impossible value."""

    code = "invalid_input"
    message = "The input is not valid."


class UnusableContent(PlatformError):
    """The input is well formed but its content cannot be used."""

    code = "unusable_content"
    message = "The content cannot be used."


class NotFound(PlatformError):
    """There is no such object for this caller (another tenant's object looks exactly the same)."""

    code = "not_found"
    message = "There is no such object."


class Gone(PlatformError):
    """It was here, and was removed on purpose; it does not come back."""

    code = "gone"
    message = "This was removed."


class NotAuthenticated(PlatformError):
    code = "not_authenticated"
    message = "A valid credential is needed."


class PermissionRefused(PlatformError):
    """The caller may see the object but not do this."""

    code = "permission_denied"
    message = "Your role does not allow this."


class Conflict(PlatformError):
    """The object is in another state than the caller believes."""

    code = "conflict"
    message = "The object changed in the meantime."


class PreconditionFailed(PlatformError):
    """The version named in If-Match is not the current one."""

    code = "stale"
    message = "The object was changed since you read it."


class TooLarge(PlatformError):
    code = "too_large"
    message = "The request is larger than allowed."


class UnsupportedContentType(PlatformError):
    code = "unsupported_media_type"
    message = "This kind of content is not accepted here."


class LimitReached(PlatformError):
    """A rate or quota is used up; `retry_after_seconds` says when to come back."""

    code = "rate_limited"
    message = "The limit is reached; try again later."

    def __init__(self, message: str | None = None, *, retry_after_seconds: int, code: str | None = None) -> None:
        super().__init__(message, code=code, extra={"retry_after_seconds": retry_after_seconds})
        self.retry_after_seconds = retry_after_seconds


class Unavailable(PlatformError):
    """A dependency is away; the same request may work later."""

    code = "unavailable"
    message = "This service is not available right now; try again later."
    # Whether a job that met it waits without spending an attempt, because no other way leads to its end.
    jobs_wait = False

    def __init__(self, message: str | None = None, *, retry_after_seconds: int = 5, code: str | None = None) -> None:
        super().__init__(message, code=code, extra={"retry_after_seconds": retry_after_seconds})
        self.retry_after_seconds = retry_after_seconds
