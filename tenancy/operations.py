"""Operations over HTTP, for the platform's operator: the floor below has the facts, this one the credentials."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from observability.breakers import breaker_facts, breaker_rows, breaker_states, facts_of, reset_breaker
from observability.health import readiness, uptime_seconds
from observability.heartbeats import lost_since
from observability.managers import cache_problem
from observability.models import WorkerHeartbeat
from observability.probes import Check, Finding, Prober, look_at
from tenancy import serializers as bodies
from tenancy.base_api import OperationsAPIView
from tenancy.choices import Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.listing import list_parameters, refuse_parameters
from tenancy.openapi import listed
from tenancy.permissions import require_scope
from tenancy.scope import every_tenant

_BY_NAME = (OrderColumn("name"),)


class HealthDetailedView(OperationsAPIView):
    """`GET /health/detailed`: every component with how long it took to answer. 200 also when something is away."""

    @extend_schema(exclude=True)
    def get(self, _request: Request) -> Response:
        findings = [*readiness(), *look_at(_FURTHER)]
        workers = worker_list()
        required_ok = all(finding.ok for finding in findings if finding.required)
        all_ok = required_ok and all(finding.ok for finding in findings) and any(w["alive"] for w in workers)
        body = {
            "status": "ok" if all_ok else "degraded" if required_ok else "unavailable",
            "version": settings.VERSION,
            "uptime_seconds": uptime_seconds(),
            "components": {finding.name: _component(finding) for finding in findings},
            "workers": workers,
            "disk": disk_figures(),
            "providers": configured_providers(),
            "circuit_breakers": breaker_words(),
        }
        return Response(body, headers={"Cache-Control": "no-store"})


class BreakersView(OperationsAPIView):
    """`GET /circuit-breakers`"""

    @extend_schema(operation_id="circuit_breakers_list", responses=listed(bodies.BreakerAnswer))
    def get(self, request: Request) -> Response:
        """List the breakers by name."""
        now, wanted = timezone.now(), list_parameters(request)
        with every_tenant("circuit breakers belong to no tenant"):
            page = page_of(breaker_rows(now=now), order=_BY_NAME, limit=wanted.limit, cursor=wanted.cursor, filters={})
        items = [bodies.breaker_data(breaker_facts(row, now=now)) for row in page.items]
        return Response({"items": items, "next_cursor": page.next_cursor})


class BreakerView(OperationsAPIView):
    """`GET /circuit-breakers/{name}`"""

    @extend_schema(operation_id="circuit_breakers_retrieve", responses=bodies.BreakerAnswer)
    def get(self, request: Request, name: str) -> Response:
        """Show one breaker with the calls of its sliding window."""
        refuse_parameters(request)
        return Response(bodies.breaker_data(facts_of(name=name, now=timezone.now())))


class BreakerResetView(OperationsAPIView):
    """`POST /circuit-breakers/{name}/reset`"""

    @extend_schema(operation_id="circuit_breakers_reset", request=None, responses=bodies.BreakerAnswer)
    def post(self, request: Request, name: str) -> Response:
        """Close a breaker, also one that is held open; every process sees it with its next call."""
        refuse_parameters(request)
        bodies.NoBody.checked(request.data)
        require_scope(self.principal, Scope.OPS)
        return Response(bodies.breaker_data(reset_breaker(name=name, by=self.principal.id, now=timezone.now())))


def worker_list() -> list[dict[str, object]]:
    """Return who beat last, the latest first; empty when the database cannot tell (its component says so)."""
    now = timezone.now()
    try:
        rows = list(WorkerHeartbeat.objects.order_by("-seen_at")[:50])
    except DatabaseProblem:
        return []
    lost = lost_since(now)
    return [
        {
            "name": row.name,
            "alive": row.seen_at >= lost,
            "started_at": row.started_at,
            "seen_seconds_ago": max(0, int((now - row.seen_at).total_seconds())),
        }
        for row in rows
    ]


def disk_figures() -> dict[str, int]:
    """Return free and total bytes where the media are, zeros where that cannot be told (storage says so)."""
    folder = Path(settings.MEDIA_ROOT)
    try:
        usage = shutil.disk_usage(folder if folder.is_dir() else settings.DATA_DIR)
    except OSError:
        return {"free_bytes": 0, "total_bytes": 0}
    return {"free_bytes": usage.free, "total_bytes": usage.total}


def configured_providers() -> list[str]:
    """Return the links of the provider chain that are set up, by name only; the rules are always there."""
    given = {
        "openai": settings.OPENAI_API_KEY,
        "anthropic": settings.ANTHROPIC_API_KEY,
        "local": settings.LOCAL_LLM_BASE_URL,
        "rules": True,
    }
    return [name for name, is_set in given.items() if is_set]


def breaker_words() -> dict[str, str]:
    """Return the state of every breaker: what providers are like is known from real calls, a probe would cost money.

    Empty when the database cannot tell.
    """
    try:
        return {name: state for (name, state), holds in breaker_states().items() if holds}
    except DatabaseProblem:
        return {}


def _component(finding: Finding) -> dict[str, object]:
    return {"status": finding.problem or "ok", "required": finding.required, "milliseconds": finding.milliseconds}


_FURTHER = (Prober(Check("cache", cache_problem, required=False)),)
