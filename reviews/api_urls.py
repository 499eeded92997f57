"""API addresses of the review desk."""

from django.urls import URLPattern, path

from reviews import api, labels_api

app_name = "api_reviews"
urlpatterns: list[URLPattern] = [
    path("reviews/queue", api.QueueView.as_view(), name="queue"),
    path("reviews/next", api.NextView.as_view(), name="next"),
    path("reviews/labels/next", labels_api.NextLabelView.as_view(), name="label-next"),
    path("reviews/labels/<uuid:label_id>", labels_api.LabelView.as_view(), name="label"),
    path("reviews/<uuid:claim_id>/lease", api.LeaseView.as_view(), name="lease"),
    path("reviews/<uuid:claim_id>/decision", api.DecisionView.as_view(), name="decision"),
    path("reviews/<uuid:claim_id>/history", api.HistoryView.as_view(), name="history"),
    path("metrics/summary", api.SummaryView.as_view(), name="summary"),
]
