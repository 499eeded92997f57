"""Pages for handing in and following claims; what they do is what the API does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from claims.filters import ClaimFilter
from claims.forms import ClaimForm, ListFilterForm
from claims.intake import VideoUpload, receiving_upload
from claims.models import Claim
from claims.pages.badges import STATUS_BADGES
from claims.pages.status_page import claim_facts, client_result, list_row, progress_of
from claims.selectors import claim_visible_to, claims_visible_to, latest_assessment
from claims.services import receive_claim
from observability.errors import (
    Conflict,
    InvalidInput,
    PlatformError,
    TooLarge,
    UnsupportedContentType,
    UnusableContent,
)
from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.errors import QuotaExceeded
from tenancy.listing import apply_filters

_ROWS = 25
_NEWEST_FIRST = (OrderColumn("received_at", descending=True), OrderColumn("id", descending=True))
# What a person can put right by choosing another file or number; anything else is no matter of this form.
_REFUSALS = (InvalidInput, Conflict, TooLarge, UnsupportedContentType, UnusableContent, QuotaExceeded)
_REFUSAL_STATUS = (
    (Conflict, 409),
    (TooLarge, 413),
    (UnsupportedContentType, 415),
    (UnusableContent, 422),
    (QuotaExceeded, 429),
)
# htmx stops polling on this status.
_STOP_POLLING = 286


class ClaimListView(TenantView):
    any_scope = (Scope.READ,)

    def get(self, request: HttpRequest) -> HttpResponse:
        form = ListFilterForm(request.GET)
        filters, now = form.chosen(), timezone.now()
        claims = apply_filters(ClaimFilter, queryset=claims_visible_to(self.principal), filters=filters)
        cursor = request.GET.get("cursor") or None
        page = page_of(claims, order=_NEWEST_FIRST, limit=_ROWS, cursor=cursor, filters=filters)
        here = reverse("claims:list") + (f"?{urlencode(filters)}" if filters else "")
        context = {
            "form": form,
            "filters": filters,
            "rows": [list_row(claim, now=now) for claim in page.items],
            "first_url": here if cursor else "",
            "next_url": f"{here}{'&' if filters else '?'}cursor={page.next_cursor}" if page.next_cursor else "",
            "reviews": bool(self.principal.scopes & {Scope.REVIEW, Scope.AUDIT}),
        }
        return render(request, "claims/list.html", context)


class ClaimDetailView(TenantView):
    """How far the claim is; the claimant's side reads the result here, redacted."""

    any_scope = (Scope.READ,)

    def get(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        result = client_result(latest_assessment(claim)) if claim.assessment_id is not None else None
        context = _progress_context(claim) | {
            "facts": claim_facts(claim),
            "result": result,
            "reviews": bool(self.principal.scopes & {Scope.REVIEW, Scope.AUDIT}),
        }
        return render(request, "claims/detail.html", context)


class ClaimProgressView(TenantView):
    """The piece of the page that refreshes itself until the assessment is there."""

    any_scope = (Scope.READ,)

    def get(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        context = _progress_context(claim)
        if context["progress"].under_way:
            return render(request, "claims/_progress.html", context)
        # The rest of the page tells of the result, too: load it once, then stop asking.
        return HttpResponse(status=_STOP_POLLING, headers={"HX-Refresh": "true"})


def _progress_context(claim: Claim) -> dict[str, Any]:
    return {"claim": claim, "status": STATUS_BADGES[claim.status], "progress": progress_of(claim)}


@method_decorator(csrf_exempt, name="dispatch")
class NewClaimView(TenantView):
    """The upload form. Exempt from the middleware's CSRF check only because that would read the body before the video
    can be streamed into quarantine: the same check runs inside, once the stream is laid."""

    any_scope = (Scope.WRITE,)
    _upload: VideoUpload

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request, "principal", None) is None:
            return redirect_to_login(request.get_full_path())
        with receiving_upload(request) as self._upload:
            try:
                return self._checked(request, *args, **kwargs)
            except _REFUSALS as refusal:  # the stream itself was refused: too large, no video, broken off
                return self._refused(request, ClaimForm(), refusal)

    @method_decorator(csrf_protect)
    def _checked(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(request, ClaimForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ClaimForm(request.POST)
        if not form.is_valid():
            return self._page(request, form, status=400)
        if self._upload.received is None:
            return self._page(request, form, trouble="Choose the video of the event.", status=400)
        try:
            receipt = receive_claim(
                actor=self.principal, notice=form.notice(), upload=self._upload.received, now=timezone.now()
            )
        except _REFUSALS as refusal:
            return self._refused(request, form, refusal)
        if receipt.duplicate:
            messages.info(request, f"This video was handed in before: it belongs to {receipt.claim.claim_number}.")
        else:
            messages.success(request, f"{receipt.claim.claim_number} is received and will be assessed now.")
        return redirect("claims:detail", claim_id=receipt.claim.id)

    def _refused(self, request: HttpRequest, form: ClaimForm, refusal: PlatformError) -> HttpResponse:
        status = next((status for kind, status in _REFUSAL_STATUS if isinstance(refusal, kind)), 400)
        if refusal.code == "claim_number_exists":
            form.add_error("claim_number", refusal.message)
            return self._page(request, form, status=status)
        return self._page(request, form, trouble=refusal.message, status=status)

    def _page(self, request: HttpRequest, form: ClaimForm, *, trouble: str = "", status: int = 200) -> HttpResponse:
        return render(request, "claims/new.html", {"form": form, "trouble": trouble}, status=status)
