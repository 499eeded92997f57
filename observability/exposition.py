"""`GET /metrics`: what Prometheus reads, from all processes, for the inner network or a bearer of the token only."""

from __future__ import annotations

from hmac import compare_digest

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.request import Request
from rest_framework.views import APIView

from observability.addresses import is_from_inside
from observability.errors import PermissionRefused
from observability.metrics import ScrapeCollector
from observability.metrics_folder import metrics_folder, steady


class MetricsView(APIView):
    """The exposition for Prometheus."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def get(self, request: Request) -> HttpResponse:
        if not _may_scrape(request._request):
            raise PermissionRefused("Metrics are for the inner network.", code="metrics_restricted")
        return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    own = CollectorRegistry()
    own.register(ScrapeCollector((DatabaseProblem,)))
    folder = metrics_folder()
    if folder is None:
        return generate_latest(REGISTRY) + generate_latest(own)
    MultiProcessCollector(own, path=str(folder))  # type: ignore[no-untyped-call]  # the library forgot to
    with steady(folder):
        return generate_latest(own)


def _may_scrape(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    if wanted and scheme.lower() == "bearer" and compare_digest(token.strip().encode(), wanted.encode()):
        return True
    return is_from_inside(request)
