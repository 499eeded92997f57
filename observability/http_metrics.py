"""Requests as django-prometheus counts them, with the one label that a caller could choose taken from a closed list."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django_prometheus.middleware import PrometheusAfterMiddleware

# What the rules and the dashboard read of the library's families (tests/observability/test_middleware.py counts them).
REQUESTS = "django_http_responses_total_by_status_view_method_total"
SECONDS = "django_http_requests_latency_seconds_by_view_method"


class RequestMetricsMiddleware(PrometheusAfterMiddleware):  # type: ignore[misc]  # the library ships no types
    """Counts every answer by the name of its address, its verb and its status.

    It stands outside all others, so that what they answer themselves is counted too. The library labels durations with
    the verb as the caller wrote it: each invented verb would be a series kept for ever.
    """

    def label_metric(
        self, metric: Any, request: HttpRequest, response: HttpResponseBase | None = None, **labels: str
    ) -> Any:
        """Return the metric with these labels, the verb among the known ones."""
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
