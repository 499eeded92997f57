"""Pages of the opinion engine's monitoring."""

from django.urls import URLPattern, path

from aiassist.monitoring.health_views import BiasPage, DriftPage, HealthReportPage, HealthReportsPage
from aiassist.monitoring.views import CalibrationPage, FraudModelPage

app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    path("calibration/", CalibrationPage.as_view(), name="calibration"),
    path("drift/", DriftPage.as_view(), name="drift"),
    path("bias/", BiasPage.as_view(), name="bias"),
    path("reports/", HealthReportsPage.as_view(), name="reports"),
    path("reports/<uuid:report_id>/", HealthReportPage.as_view(), name="report"),
    path("fraud-model/", FraudModelPage.as_view(), name="fraud-model"),
]
