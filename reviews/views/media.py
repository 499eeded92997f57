"""Text tracks of the player."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from claims.run_inputs import version_wanted
from claims.selectors import assessment_of_version, claim_visible_to, latest_assessment
from reviews.pages.chapters import chapters_vtt
from tenancy.base_views import TenantView
from tenancy.choices import Scope


class ChaptersView(TenantView):
    any_scope = (Scope.REVIEW, Scope.AUDIT)

    def get(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim, version = claim_visible_to(principal=self.principal, claim_id=claim_id), version_wanted(request)
        assessment = latest_assessment(claim) if version is None else assessment_of_version(claim, version)
        return HttpResponse(chapters_vtt(assessment.hazards), content_type="text/vtt; charset=utf-8")
