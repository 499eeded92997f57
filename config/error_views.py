"""Answers for what never reaches a view: problem+json for programs, a plain page for people."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.http_errors import as_platform_error, count_failure, problem_answer, status_of
from observability import errors
from observability.context import current_context
from observability.errors import PlatformError

_PROGRAM_PATHS = ("/api/", "/health", "/metrics", "/debug-resilience")


class PlatformErrorMiddleware:
    """Turns a named failure of a page into its answer (the API's views do it through DRF's exception handler)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        known = _known(exception)
        status = 500 if known is None else status_of(known)
        if known is None or status == 500:
            return None  # Django knows its own; what nobody expected goes on to the 500 handler and to Sentry
        return _answer(request, known, status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, errors.NotFound(), 404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, errors.InvalidInput(code="bad_request"), 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, errors.PermissionRefused(), 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    refusal = errors.PermissionRefused(
        "The form was too old or came from elsewhere; load the page again.", code="csrf_failed"
    )
    return _answer(request, refusal, 403)


def server_error(request: HttpRequest) -> HttpResponse:
    # A database that is away is met first by the middleware that reads the session, outside of any view.
    known = _known(sys.exc_info()[1])
    if known is not None and status_of(known) != 500:
        return _answer(request, known, status_of(known))
    return _answer(request, PlatformError("Something went wrong on our side.", code="internal_error"), 500)


def _known(error: BaseException | None) -> PlatformError | None:
    return as_platform_error(error) if isinstance(error, PlatformError | DatabaseProblem) else None


def _answer(request: HttpRequest, error: PlatformError, status: int) -> HttpResponse:
    if request.path.startswith(_PROGRAM_PATHS) or not request.accepts("text/html"):
        return problem_answer(error)
    count_failure(error, status)
    if status >= 500:
        _forget_person(request)
    page = {"error": error, "status": status, "request_id": current_context().request_id}
    answer = render(request, "error.html", page, status=status)
    if isinstance(error, errors.LimitReached | errors.Unavailable):
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _forget_person(request: HttpRequest) -> None:
    """Draw the page as for a stranger: who it is and what to tell them stands in the database, which may be away."""
    request.user = AnonymousUser()
    request.principal = None  # type: ignore[attr-defined]  # set by tenancy's middleware
    if hasattr(request, "_messages"):
        del request._messages
