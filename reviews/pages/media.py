"""Addresses of what a claim's page plays and shows."""

from __future__ import annotations

from django.urls import reverse

from claims.models import Evidence


def video_url(claim_id: object) -> str:
    """Return where the claim's video is served (with Range)."""
    return reverse("api_claims:claim-video", kwargs={"claim_id": claim_id})


def evidence_image_url(evidence: Evidence) -> str:
    """Return where the annotated picture of an evidence item is served."""
    return reverse("api_claims:evidence-image", kwargs={"evidence_id": evidence.id})
