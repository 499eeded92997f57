"""The page of a claim's personal data: legal hold, erasure, and the export for the person themselves."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from claims.choices import CLOSED
from claims.models import Claim
from claims.selectors import claim_visible_to
from claims.services import erase_claim, set_legal_hold
from observability.errors import Conflict, Gone, InvalidInput
from reviews.forms import EraseForm, HoldForm
from reviews.subject_export import export_claims
from tenancy.base_views import TenantView
from tenancy.choices import Scope


class PrivacyView(TenantView):
    """What may be done with the claim's personal data, and by whom."""

    any_scope: ClassVar[tuple[Scope, ...]] = (Scope.SUPERVISE, Scope.ADMIN)

    def get(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        return self._page(request, claim_visible_to(principal=self.principal, claim_id=claim_id))

    def _page(
        self,
        request: HttpRequest,
        claim: Claim,
        *,
        hold: HoldForm | None = None,
        erase: EraseForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        context = {
            "claim": claim,
            "is_open": claim.status not in CLOSED,
            "may_erase": Scope.ADMIN in self.principal.scopes,
            "hold_form": hold or HoldForm(),
            "erase_form": erase or EraseForm(claim_number=claim.claim_number),
        }
        return render(request, "desk/privacy.html", context, status=status)


class LegalHoldView(PrivacyView):
    any_scope = (Scope.SUPERVISE,)

    def post(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        form, held = HoldForm(request.POST), request.POST.get("held") == "true"
        if not form.is_valid():
            return self._page(request, claim, hold=form, status=400)
        try:
            set_legal_hold(
                actor=self.principal,
                claim_id=claim.id,
                held=held,
                reason=form.cleaned_data["hold_reason"],
                now=timezone.now(),
            )
        except InvalidInput as refusal:
            form.add_error("hold_reason", refusal.message)
            return self._page(request, claim, hold=form, status=400)
        except Gone as refusal:
            messages.warning(request, refusal.message)
        else:
            messages.success(request, "The claim is on legal hold." if held else "The legal hold is lifted.")
        return redirect("desk:privacy", claim_id=claim.id)


class EraseView(PrivacyView):
    any_scope = (Scope.ADMIN,)

    def post(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        form = EraseForm(request.POST, claim_number=claim.claim_number)
        if not form.is_valid():
            return self._page(request, claim, erase=form, status=400)
        reason = form.cleaned_data["erase_reason"]
        try:
            erase_claim(actor=self.principal, claim_id=claim.id, now=timezone.now(), reason=reason)
        except InvalidInput as refusal:
            form.add_error("erase_reason", refusal.message)
            return self._page(request, claim, erase=form, status=400)
        except Conflict as refusal:
            form.add_error(None, refusal.message)
            return self._page(request, claim, erase=form, status=409)
        messages.success(request, f"{claim.claim_number}: personal data, video and pictures are erased.")
        return redirect("desk:privacy", claim_id=claim.id)


class SubjectExportView(TenantView):
    """A zip file for the person; a POST, because the history tells of it."""

    any_scope = (Scope.ADMIN,)

    def post(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        content = export_claims(actor=self.principal, claims=[claim], now=timezone.now())
        name = f"subject-export-{claim.id}.zip"
        return HttpResponse(
            content,
            content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )
