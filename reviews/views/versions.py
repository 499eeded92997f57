"""Older assessments to look at, asking for a newer one, and the news that it is there."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from claims.models import Assessment, Claim
from claims.selectors import assessment_of_version, claim_visible_to
from claims.services import request_reassessment
from observability.errors import Conflict
from reviews.forms import DecisionForm
from reviews.pages.claim_page import older_context
from reviews.pages.versions_page import news_of
from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.policy import tenant_policy

_READERS = (Scope.REVIEW, Scope.AUDIT)


class VersionView(TenantView):
    """The claim page with an older assessment: to read, not to decide on."""

    any_scope = _READERS

    def get(self, request: HttpRequest, claim_id: UUID, version: int) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        assessment = assessment_of_version(claim, version)
        if assessment.id == claim.assessment_id:
            return redirect("desk:claim", claim_id=claim.id)
        assert self.principal.tenant_id is not None
        threshold = tenant_policy(self.principal.tenant_id).fraud_urgent_threshold
        form = DecisionForm(assessment=assessment, fraud_threshold=threshold)
        context = older_context(claim, assessment, principal=self.principal, form=form, now=timezone.now())
        return render(request, "desk/claim.html", context)


class ReassessView(TenantView):
    """Asks for another assessment and goes back to the claim, where its progress shows."""

    any_scope = (Scope.WRITE,)

    def post(self, request: HttpRequest, claim_id: UUID) -> HttpResponseBase:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        try:
            request_reassessment(actor=self.principal, claim_ids=[claim.id], now=timezone.now())
        except Conflict as conflict:
            messages.warning(request, conflict.message)
        else:
            messages.success(request, f"{claim.claim_number} is being assessed again.")
        return redirect("desk:claim", claim_id=claim.id)


class NewsView(TenantView):
    """The piece of the claim page that says that a newer assessment is there, or on its way."""

    any_scope = _READERS

    def get(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        seen = _seen(claim, request.GET.get("seen", ""))
        news = news_of(claim, seen, principal=self.principal, writing=bool(request.GET.get("writing")))
        if news is None:
            return HttpResponse(status=286)  # htmx stops asking
        if request.headers.get("If-None-Match") == news.etag:
            return HttpResponse(status=304, headers={"ETag": news.etag})
        response = render(request, "desk/_news.html", {"claim": claim, "news": news})
        response.headers["ETag"] = news.etag
        return response


def _seen(claim: Claim, raw_id: str) -> Assessment | None:
    try:
        return Assessment.objects.only("version", "claim").filter(claim=claim, id=UUID(raw_id)).first()
    except ValueError:
        return None
