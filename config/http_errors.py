"""The only file that knows both errors and HTTP: every failure becomes an RFC 9457 problem+json answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, InterfaceError, OperationalError
from django.db import Error as DatabaseProblem
from django.http import Http404, JsonResponse
from django.http.request import UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from observability import errors, metrics
from observability.context import current_context
from observability.errors import FieldProblem, PlatformError


class MethodNotAllowed(PlatformError):
    code = "method_not_allowed"
    message = "This address does not take that method."


class NotAcceptable(PlatformError):
    code = "not_acceptable"
    message = "None of the media types you accept is served here."


_STATUS: tuple[tuple[type[PlatformError], int], ...] = (
    (errors.InvalidInput, 400),
    (errors.NotAuthenticated, 401),
    (errors.PermissionRefused, 403),
    (errors.NotFound, 404),
    (MethodNotAllowed, 405),
    (NotAcceptable, 406),
    (errors.Conflict, 409),
    (errors.Gone, 410),
    (errors.PreconditionFailed, 412),
    (errors.TooLarge, 413),
    (errors.UnsupportedContentType, 415),
    (errors.UnusableContent, 422),
    (errors.LimitReached, 429),
    (errors.Unavailable, 503),
)
log = structlog.get_logger(__name__)
PROBLEM_TYPE = "application/problem+json"


def status_of(error: PlatformError) -> int:
    """Return the HTTP status of an error; one without a category is a fault of ours (500)."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def count_failure(error: PlatformError, status: int) -> None:
    """Count a failed request by its code; a refused credential and a refused permission once more by themselves."""
    metrics.ERRORS.labels(place="web", code=error.code).inc()
    if status == 401 and error.code != errors.NotAuthenticated.code:  # none was sent: nothing failed
        metrics.AUTHENTICATION_FAILURES.labels(code=error.code).inc()
    if status == 403:
        metrics.REFUSED_ACCESS.labels(code=error.code).inc()


def problem_body(
    *,
    status: int,
    code: str,
    detail: str,
    problems: Sequence[FieldProblem] = (),
    extra: dict[str, object] | None = None,
) -> dict[str, object]:
    """Return the body of a problem answer; `extra` adds members such as the winner's decision id."""
    body: dict[str, object] = {
        "type": f"urn:claimwright:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": current_context().request_id,
        "errors": [{"pointer": p.pointer, "code": p.code, "detail": p.detail} for p in problems],
    }
    return {**(extra or {}), **body}


def problem_answer(error: PlatformError) -> JsonResponse:
    """Return the problem answer of an error outside DRF (middleware, plain views)."""
    status = status_of(error)
    count_failure(error, status)
    body = problem_body(
        status=status, code=error.code, detail=error.message, problems=error.problems, extra=error.extra
    )
    return JsonResponse(body, status=status, content_type=PROBLEM_TYPE, headers=_headers(error, status))


def problem_response_for(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None lets an unexpected error travel on to the 500 handler (and to Sentry)."""
    known = as_platform_error(error)
    if known is None:
        return None
    status = status_of(known)
    count_failure(known, status)
    body = problem_body(
        status=status, code=known.code, detail=known.message, problems=known.problems, extra=known.extra
    )
    response = Response(body, status=status, headers=_headers(known, status))
    response.content_type = PROBLEM_TYPE
    return response


def _headers(error: PlatformError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, errors.LimitReached | errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="claimwright"'
    return headers


def as_platform_error(error: BaseException) -> PlatformError | None:
    """Return the named failure behind any expected exception; None for what nobody expected."""
    if isinstance(error, PlatformError):
        return error
    if isinstance(error, drf.ValidationError):
        return errors.InvalidInput(problems=_field_problems(error.detail))
    if isinstance(error, DatabaseProblem):
        return _database_refusal(error)
    for kind, build in _TRANSLATIONS:
        if isinstance(error, kind):
            return build(error)
    return None


def _database_refusal(error: DatabaseProblem) -> PlatformError | None:
    """A value that no column can hold is the caller's, a database that is away heals; the rest is a fault of ours."""
    if isinstance(error, DataError):
        log.warning("database_refused_value", error=type(error.__cause__ or error).__name__)
        return errors.InvalidInput("A value is out of range.", code="out_of_range")
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database_unavailable", error=type(error.__cause__ or error).__name__)
        return errors.Unavailable()
    return None


_TRANSLATIONS: tuple[tuple[type[Exception], Callable[[Any], PlatformError]], ...] = (
    (Http404, lambda _e: errors.NotFound()),
    (drf.NotFound, lambda _e: errors.NotFound()),
    (drf.MethodNotAllowed, lambda _e: MethodNotAllowed()),
    (drf.NotAuthenticated, lambda _e: errors.NotAuthenticated()),
    (drf.AuthenticationFailed, lambda _e: errors.NotAuthenticated()),
    (drf.PermissionDenied, lambda e: errors.PermissionRefused(code="csrf_failed" if "CSRF" in str(e.detail) else None)),
    (drf.Throttled, lambda e: errors.LimitReached(retry_after_seconds=ceil(e.wait or 1))),
    (PermissionDenied, lambda _e: errors.PermissionRefused()),
    (drf.ParseError, lambda e: errors.InvalidInput(str(e.detail), code="malformed_body")),
    (UnreadablePostError, lambda _e: errors.InvalidInput("The body ended early.", code="malformed_body")),
    (drf.UnsupportedMediaType, lambda _e: errors.UnsupportedContentType()),
    (drf.NotAcceptable, lambda _e: NotAcceptable()),
    (ValidationError, lambda e: errors.InvalidInput(problems=_form_problems(e))),
    (RequestDataTooBig, lambda _e: errors.TooLarge(code="body_too_large")),
    (SuspiciousOperation, lambda _e: errors.InvalidInput(code="bad_request")),
)


def _form_problems(error: ValidationError) -> list[FieldProblem]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    return [
        FieldProblem(f"/{escaped(name)}", problem.code or "invalid", " ".join(problem.messages))
        for name, problems in by_field.items()
        for problem in problems
    ]


def _field_problems(detail: Any, pointer: str = "") -> list[FieldProblem]:
    if isinstance(detail, dict):
        return [p for name, inner in detail.items() for p in _field_problems(inner, _step(pointer, name))]
    if isinstance(detail, list):
        found: list[FieldProblem] = []
        for position, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            found += _field_problems(inner, f"{pointer}/{position}" if nested else pointer)
        return found
    return [FieldProblem(pointer or "/", str(getattr(detail, "code", "invalid")), str(detail))]


def _step(pointer: str, name: object) -> str:
    return pointer if name == "non_field_errors" else f"{pointer}/{escaped(str(name))}"


def escaped(name: str) -> str:
    """Return a name as one step of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
