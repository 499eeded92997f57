"""The claim page: evidence left, the AI's opinion beside the person's fields right, the history below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from claims.choices import ClaimStatus
from claims.models import Assessment, Claim
from claims.selectors import claim_visible_to, latest_assessment
from observability.errors import Conflict, InvalidInput, PermissionRefused
from reviews.errors import OwnClaim, StaleAssessment
from reviews.forms import DecisionForm
from reviews.holds import hold_of
from reviews.leases import take_next
from reviews.models import Decision
from reviews.pages.claim_page import claim_context
from reviews.pages.conflict_page import ConflictNote, conflict_note
from reviews.pages.versions_page import news_of
from reviews.selectors import decisions_of
from reviews.services import decide_claim
from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.policy import tenant_policy

SAVE_AND_NEXT, COMPARE = "next", "compare"


class ClaimView(TenantView):
    """Everyone who reviews or audits may read; the form is there for those who may decide."""

    any_scope = (Scope.REVIEW, Scope.AUDIT)

    def get(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = self._claim(claim_id)
        if claim.assessment is None:
            return redirect("claims:detail", claim_id=claim.id)
        lease = hold_of(claim, now=timezone.now())
        mine = lease is not None and lease.holder_id == self.principal.user_id
        token = lease.token if lease is not None and mine else None
        form = self._form(None, assessment=claim.assessment, lease_token=token)
        return self._answer(request, claim, form)

    def post(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        if Scope.REVIEW not in self.principal.scopes:
            raise PermissionRefused
        claim = self._claim(claim_id)
        if claim.assessment is None:
            return redirect("claims:detail", claim_id=claim.id)
        seen = _assessment_seen(claim, request.POST.get("assessment_id", "")) or claim.assessment
        form = self._form(request.POST, assessment=seen)
        if request.POST.get("then") == COMPARE:
            return self._conflict(request, claim_id, StaleAssessment(), seen, status=200)
        if not form.is_valid():
            return self._answer(request, claim, form, status=400)
        try:
            decision = decide_claim(claim_id=claim.id, actor=self.principal, draft=form.draft(), now=timezone.now())
        except InvalidInput as refusal:
            form.add_error(None, refusal.message)
            return self._answer(request, claim, form, status=400)
        except Conflict as conflict:
            return self._conflict(request, claim_id, conflict, seen)
        return self._after(request, claim, decision)

    def _claim(self, claim_id: UUID) -> Claim:
        """Return the claim with its newest opinion whole, if it has one."""
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        if claim.assessment_id is not None:
            claim.assessment = latest_assessment(claim)
        return claim

    def _form(
        self, data: Mapping[str, Any] | None, *, assessment: Assessment, lease_token: UUID | None = None
    ) -> DecisionForm:
        assert self.principal.tenant_id is not None
        threshold = tenant_policy(self.principal.tenant_id).fraud_urgent_threshold
        return DecisionForm(data, assessment=assessment, fraud_threshold=threshold, lease_token=lease_token)

    def _after(self, request: HttpRequest, claim: Claim, decision: Decision) -> HttpResponse:
        outcome = decision.get_decision_display().lower()
        messages.success(request, f"{claim.claim_number}: “{outcome}” is recorded.")
        if request.POST.get("then") != SAVE_AND_NEXT:
            return redirect("desk:claim", claim_id=claim.id)
        lease = take_next(actor=self.principal, now=timezone.now())
        if lease is None:
            messages.info(request, "That was the last one: nothing is waiting that you could take.")
            return redirect("desk:queue")
        return redirect("desk:claim", claim_id=lease.claim_id)

    def _conflict(
        self, request: HttpRequest, claim_id: UUID, conflict: Conflict, seen: Assessment, *, status: int = 409
    ) -> HttpResponse:
        """Show the claim as it is now with everything the person wrote and chose, ready to be sent again."""
        claim = self._claim(claim_id)
        assert claim.assessment is not None
        note = conflict_note(conflict, seen=seen, current=claim.assessment, decisions=decisions_of(claim))
        lease = hold_of(claim, now=timezone.now())
        kept = request.POST.copy()
        kept["assessment_id"] = str(claim.assessment.id)
        kept["lease_token"] = str(lease.token) if lease and lease.holder_id == self.principal.user_id else ""
        again = self._form(kept, assessment=claim.assessment)
        if status == 200:
            again.errors.clear()  # nothing was sent to be judged yet
        return self._answer(request, claim, again, note=note, status=status)

    def _answer(
        self,
        request: HttpRequest,
        claim: Claim,
        form: DecisionForm,
        *,
        note: ConflictNote | None = None,
        status: int = 200,
    ) -> HttpResponse:
        context: dict[str, Any] = claim_context(claim, principal=self.principal, form=form, now=timezone.now())
        refused = _refusal(claim, self.principal.user_id)
        editable = (context["may_decide"] and not refused) or note is not None
        writing = bool(editable and context["may_decide"])
        news = news_of(claim, form.assessment, principal=self.principal, writing=writing)
        context |= {"conflict": note, "refused": refused, "editable": editable, "news": news}
        return render(request, "desk/claim.html", context, status=status)


def _assessment_seen(claim: Claim, raw_id: str) -> Assessment | None:
    try:
        assessment_id = UUID(raw_id)
    except ValueError:
        return None
    return Assessment.objects.filter(claim=claim, id=assessment_id).first()


def _refusal(claim: Claim, user_id: UUID | None) -> str:
    """Return why this person cannot decide an open claim that they may read, empty if they can."""
    return OwnClaim.message if claim.submitted_by_id == user_id and claim.status == ClaimStatus.AWAITING_REVIEW else ""
