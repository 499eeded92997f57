"""Pages of webhooks."""

from django.urls import URLPattern, path

from tenancy.webhooks.views import WebhookPage, WebhooksPage

app_name = "webhooks"
urlpatterns: list[URLPattern] = [
    path("", WebhooksPage.as_view(), name="list"),
    path("<uuid:webhook_id>/", WebhookPage.as_view(), name="one"),
]
