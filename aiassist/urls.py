"""Pages of the opinion engine's monitoring."""

from django.urls import URLPattern, path

from aiassist.monitoring.views import CalibrationPage, FraudModelPage

app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    path("calibration/", CalibrationPage.as_view(), name="calibration"),
    path("fraud-model/", FraudModelPage.as_view(), name="fraud-model"),
]
