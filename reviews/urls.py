"""Pages of the review desk."""

from django.urls import URLPattern, path

from reviews.views.claim import ClaimView
from reviews.views.holds import HoldView, SkipView
from reviews.views.labels import LabelsView, LabelView
from reviews.views.media import ChaptersView
from reviews.views.privacy import EraseView, LegalHoldView, PrivacyView, SubjectExportView
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
    path("claims/<uuid:claim_id>/privacy/", PrivacyView.as_view(), name="privacy"),
    path("claims/<uuid:claim_id>/privacy/hold/", LegalHoldView.as_view(), name="legal-hold"),
    path("claims/<uuid:claim_id>/privacy/erase/", EraseView.as_view(), name="erase"),
    path("claims/<uuid:claim_id>/privacy/export/", SubjectExportView.as_view(), name="subject-export"),
    path("claims/<uuid:claim_id>/chapters.vtt", ChaptersView.as_view(), name="chapters"),
]
