"""Taking, keeping and giving back a claim; each answers with its piece of the page, or with the page."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from claims.models import Claim
from claims.selectors import claim_visible_to
from observability.errors import Conflict, InvalidInput
from reviews.holds import hold_of
from reviews.leases import release_lease, renew_lease, take_lease
from reviews.pages.claim_page import hold_context
from reviews.skipping import skip_claim
from tenancy.base_views import TenantView


class HoldView(TenantView):
    """`action` is take, renew or release; a hold that was lost in the meantime is told, not raised."""

    def post(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        trouble = ""
        try:
            self._act(request, claim)
        except Conflict as conflict:
            trouble = conflict.message
        if request.headers.get("HX-Request") != "true":
            if trouble:
                messages.warning(request, trouble)
            return redirect("desk:claim", claim_id=claim.id)
        lease = hold_of(claim, now=timezone.now())
        context = hold_context(claim, lease, principal=self.principal) | {"trouble": trouble, "may_decide": True}
        return render(request, "desk/_hold.html", context)

    def _act(self, request: HttpRequest, claim: Claim) -> None:
        now, action = timezone.now(), request.POST.get("action", "")
        if action == "take":
            take_lease(claim_id=claim.id, actor=self.principal, now=now)
            return
        if action == "renew":
            renew_lease(claim_id=claim.id, token=_token(request), actor=self.principal, now=now)
        elif action == "release":
            held = hold_of(claim, now=now)
            if held is not None and held.holder_id == self.principal.user_id:
                release_lease(claim_id=claim.id, token=held.token, actor=self.principal, now=now)
        else:
            raise InvalidInput("Unknown action.")


class SkipView(TenantView):
    """Leaves the claim undecided and goes to the next one."""

    def post(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        lease = skip_claim(claim=claim, actor=self.principal, now=timezone.now())
        if lease is None:
            messages.info(request, "Nothing waits behind this claim.")
            return redirect("desk:queue")
        return redirect("desk:claim", claim_id=lease.claim_id)


def _token(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("lease_token", ""))
    except ValueError as error:
        raise InvalidInput("The token of the hold is missing.") from error
