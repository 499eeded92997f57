"""API addresses of alerting."""

from django.urls import URLPattern, path

from tenancy.alerting import api

urlpatterns: list[URLPattern] = [
    path("alerting/alerts", api.AlertsView.as_view(), name="alerts"),
    path("alerting/alerts/<uuid:alert_id>", api.AlertView.as_view(), name="alert"),
    path("alerting/alerts/<uuid:alert_id>/acknowledge", api.AlertAcknowledgementView.as_view(), name="alert-ack"),
    path("alerting/alerts/<uuid:alert_id>/resolve", api.AlertResolutionView.as_view(), name="alert-resolution"),
    path("alerting/send", api.SendAlertView.as_view(), name="alerting-send"),
    path("alerting/test", api.TestAlertView.as_view(), name="alerting-test"),
    path("alerting/stats", api.AlertStatsView.as_view(), name="alerting-stats"),
    path("alerting/event-types", api.AlertEventTypesView.as_view(), name="alerting-event-types"),
    path("alerting/severities", api.AlertSeveritiesView.as_view(), name="alerting-severities"),
]
