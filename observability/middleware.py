"""Gives every request its id, in the answer and in every log line, its span and one closing line."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import structlog
from django.http import HttpRequest, HttpResponse

from observability.context import remembered_ids, work_context
from observability.request_minutes import note_request
from observability.tracing import OpenSpan, request_span, served

log = structlog.get_logger("observability.access")

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
# Probes and scrapes come every few seconds and say nothing.
_SILENT_ROUTES = frozenset({"health", "health-live", "health-ready", "metrics"})
_SILENT_PATHS = ("/health", "/metrics", "/static/")
# How long a body larger than this takes is told by the client's line.
_LARGE_BODY_BYTES = 1024 * 1024


class RequestContextMiddleware:
    """Takes the client's ``X-Request-ID`` if it is sane, else makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if _SANE_ID.fullmatch(offered) else uuid.uuid4().hex
        started = time.perf_counter()
        with work_context(request_id=request_id):
            with remembered_ids() as met, _traced(request) as span:
                response = self._get_response(request)
                served(span, method=_method(request), route=_route(request), status=response.status_code)
            seconds = time.perf_counter() - started
            _note_minute(request, response, seconds=seconds)
            with work_context(**met):
                _log_answer(request, response, seconds=seconds)
        response.headers["X-Request-ID"] = request_id
        return response


def _note_minute(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Note the answer for the service level and its watchers; probes and scrapes tell nothing of it."""
    match = request.resolver_match
    if match is None or match.view_name not in _SILENT_ROUTES:
        note_request(status=response.status_code, seconds=seconds, timed=not _is_upload(request))


def _log_answer(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Log the route, never the path or the query: those hold claim numbers and search words."""
    match = request.resolver_match
    name = (match.view_name if match else "") or ""
    if name in _SILENT_ROUTES and response.status_code < 500:
        return
    write = log.warning if response.status_code >= 500 else log.info
    write(
        "request",
        method=_method(request),
        route=_route(request),
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
    )


def _traced(request: HttpRequest) -> AbstractContextManager[OpenSpan]:
    return nullcontext(OpenSpan()) if request.path.startswith(_SILENT_PATHS) else request_span(method=_method(request))


def _method(request: HttpRequest) -> str:
    return request.method if request.method in _METHODS else "OTHER"


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return f"/{match.route}" if match else "unknown"


def _is_upload(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or ""
    return length.isascii() and length.isdigit() and int(length[:18]) > _LARGE_BODY_BYTES


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
