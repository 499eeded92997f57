"""Gives every request its id, in the answer's header and in every log line, and closes it with one line."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from observability.context import remembered_ids, work_context

log = structlog.get_logger("observability.access")

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
# Probes and scrapes come every few seconds and say nothing.
_SILENT_ROUTES = frozenset({"health", "health-live", "health-ready", "metrics"})


class RequestContextMiddleware:
    """Takes the client's ``X-Request-ID`` if it is sane, else makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if _SANE_ID.fullmatch(offered) else uuid.uuid4().hex
        started = time.perf_counter()
        with work_context(request_id=request_id):
            with remembered_ids() as met:
                response = self._get_response(request)
            with work_context(**met):
                _log_answer(request, response, seconds=time.perf_counter() - started)
        response.headers["X-Request-ID"] = request_id
        return response


def _log_answer(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """Log the route, never the path or the query: those hold claim numbers and search words."""
    match = request.resolver_match
    name = (match.view_name if match else "") or ""
    if name in _SILENT_ROUTES and response.status_code < 500:
        return
    write = log.warning if response.status_code >= 500 else log.info
    write(
        "request",
        method=request.method if request.method in _METHODS else "OTHER",
        route=f"/{match.route}" if match else "unknown",
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
    )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
