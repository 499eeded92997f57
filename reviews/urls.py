"""Pages of the review desk."""

from django.urls import URLPattern, path

from reviews.views.claim import ClaimView
from reviews.views.holds import HoldView, SkipView
from reviews.views.labels import LabelsView, LabelView
from reviews.views.media import ChaptersView
from reviews.views.queue import QueueView, TakeNextView
from reviews.views.versions import NewsView, ReassessView, VersionView

app_name = "desk"
urlpatterns: list[URLPattern] = [
    path("", QueueView.as_view(), name="queue"),
    path("next/", TakeNextView.as_view(), name="next"),
    path("claims/<uuid:claim_id>/review/", ClaimView.as_view(), name="claim"),
    path("labels/", LabelsView.as_view(), name="labels"),
    path("labels/<uuid:label_id>/", LabelView.as_view(), name="label"),
    path("claims/<uuid:claim_id>/hold/", HoldView.as_view(), name="hold"),
    path("claims/<uuid:claim_id>/skip/", SkipView.as_view(), name="skip"),
    path("claims/<uuid:claim_id>/versions/<int:version>/", VersionView.as_view(), name="version"),
    path("claims/<uuid:claim_id>/reassess/", ReassessView.as_view(), name="reassess"),
    path("claims/<uuid:claim_id>/news/", NewsView.as_view(), name="news"),
    path("claims/<uuid:claim_id>/chapters.vtt", ChaptersView.as_view(), name="chapters"),
]
