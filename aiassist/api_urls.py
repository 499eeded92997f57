"""API addresses of the opinion engine."""

from django.urls import URLPattern, path

from aiassist.monitoring import api, health_api

app_name = "api_aiassist"
urlpatterns: list[URLPattern] = [
    path("monitoring/calibration", api.CalibrationView.as_view(), name="monitoring-calibration"),
    path("monitoring/drift", health_api.DriftView.as_view(), name="monitoring-drift"),
    path("monitoring/bias", health_api.BiasView.as_view(), name="monitoring-bias"),
    path("monitoring/run", health_api.MonitoringRunView.as_view(), name="monitoring-run"),
    path("monitoring/reference", health_api.DriftReferenceView.as_view(), name="monitoring-reference"),
    path("monitoring/reports", health_api.HealthReportsView.as_view(), name="monitoring-reports"),
    path("monitoring/reports/<uuid:report_id>", health_api.HealthReportView.as_view(), name="monitoring-report"),
]
