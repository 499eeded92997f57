"""API addresses of the opinion engine."""

from django.urls import URLPattern, path

from aiassist.monitoring import api

app_name = "api_aiassist"
urlpatterns: list[URLPattern] = [
    path("monitoring/calibration", api.CalibrationView.as_view(), name="monitoring-calibration"),
]
