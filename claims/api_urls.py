"""API addresses of the claim file."""

from django.urls import URLPattern, path

from claims import access_api, api, privacy_api

app_name = "api_claims"
urlpatterns: list[URLPattern] = [
    path("claims", api.ClaimListView.as_view(), name="claim-list"),
    path("claims/upload", api.ClaimUploadView.as_view(), name="claim-upload"),
    path("claims/<uuid:claim_id>", api.ClaimView.as_view(), name="claim"),
    path("claims/<uuid:claim_id>/status", api.ClaimStatusView.as_view(), name="claim-status"),
    path("claims/<uuid:claim_id>/assessment", api.ClaimAssessmentView.as_view(), name="claim-assessment"),
    path("claims/<uuid:claim_id>/video", api.ClaimVideoView.as_view(), name="claim-video"),
    path("claims/<uuid:claim_id>/reassess", api.ReassessView.as_view(), name="claim-reassess"),
    path("claims/<uuid:claim_id>/restriction", access_api.RestrictionView.as_view(), name="claim-restriction"),
    path("claims/<uuid:claim_id>/grants", access_api.GrantsView.as_view(), name="claim-grants"),
    path("claims/<uuid:claim_id>/grants/<uuid:grant_id>", access_api.GrantView.as_view(), name="claim-grant"),
    path("claims/<uuid:claim_id>/legal-hold", privacy_api.LegalHoldView.as_view(), name="claim-legal-hold"),
    path("claims/<uuid:claim_id>/erase", privacy_api.EraseView.as_view(), name="claim-erase"),
    path("run/claims", api.RunClaimsView.as_view(), name="run-claims"),
    path("evidence/<uuid:evidence_id>/image", api.EvidenceImageView.as_view(), name="evidence-image"),
]
