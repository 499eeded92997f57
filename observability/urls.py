"""Health and metrics, outside the versioned API."""

from django.urls import URLPattern, path

from observability.exposition import MetricsView
from observability.health_views import HealthView, LiveView, ReadyView

urlpatterns: list[URLPattern] = [
    path("health", HealthView.as_view(), name="health"),
    path("health/live", LiveView.as_view(), name="health-live"),
    path("health/ready", ReadyView.as_view(), name="health-ready"),
    path("metrics", MetricsView.as_view(), name="metrics"),
]
