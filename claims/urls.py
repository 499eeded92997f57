"""Pages for handing in and following claims."""

from django.urls import URLPattern, path

from claims import access_views, views

app_name = "claims"
urlpatterns: list[URLPattern] = [
    path("", views.ClaimListView.as_view(), name="list"),
    path("new/", views.NewClaimView.as_view(), name="new"),
    path("<uuid:claim_id>/", views.ClaimDetailView.as_view(), name="detail"),
    path("<uuid:claim_id>/access/", access_views.AccessView.as_view(), name="access"),
    path("<uuid:claim_id>/progress/", views.ClaimProgressView.as_view(), name="progress"),
]
