"""Health over HTTP: alive (the process) and ready (what it cannot serve without)."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from observability.errors import Unavailable
from observability.health import readiness, uptime_seconds
from observability.standing_in import NEEDED_TO_STAND_IN, stand_in_for_workers

_RETRY_AFTER_SECONDS = 5
_UNCACHED = {"Cache-Control": "no-store"}


class NotReady(Unavailable):
    """Something this process cannot serve without is away."""

    code = "not_ready"
    message = "The service is not ready."


class _OpenView(APIView):
    """Answers everybody, touches no session and no key."""

    authentication_classes = ()
    permission_classes = ()
    schema = None


class HealthView(_OpenView):
    """`GET /health`: cheap and public; looks at nothing that could block."""

    def get(self, _request: Request) -> Response:
        return Response({"status": "ok", "version": settings.VERSION}, headers=_UNCACHED)


class LiveView(_OpenView):
    """`GET /health/live`: the process answers. A dependency that is away must not get it restarted."""

    def get(self, _request: Request) -> Response:
        return Response({"status": "alive", "uptime_seconds": uptime_seconds()}, headers=_UNCACHED)


class ReadyView(_OpenView):
    """`GET /health/ready`: 503 while something is away that this process cannot serve without. While no worker lives,
    the probe also sets off what must not wait for one."""

    def get(self, _request: Request) -> Response:
        findings = readiness()
        if all(finding.ok for finding in findings if finding.name in NEEDED_TO_STAND_IN):
            stand_in_for_workers(now=timezone.now())
        checks = {finding.name: finding.problem or "ok" for finding in findings}
        if any(finding.required and not finding.ok for finding in findings):
            error = NotReady(retry_after_seconds=_RETRY_AFTER_SECONDS)
            error.extra["checks"] = checks
            raise error
        return Response({"status": "ready", "checks": checks}, headers=_UNCACHED)
