"""The page where a supervisor restricts a claim and opens it to one person."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from claims.models import Claim
from claims.selectors import claim_visible_to
from claims.services import grant_access, lift_restriction, restrict_claim, revoke_access
from claims.visibility import grants_of
from observability.errors import Conflict, InvalidInput, NotFound
from tenancy.base_views import TenantView
from tenancy.choices import Scope
from tenancy.scope import current_tenant_id
from tenancy.selectors import members_of

_LONGEST_REASON = 500


class AccessView(TenantView):
    """Who may open this claim; each change is one form."""

    any_scope = (Scope.SUPERVISE,)

    def get(self, request: HttpRequest, claim_id: UUID) -> HttpResponse:
        return self._page(request, self._claim(claim_id))

    def post(self, request: HttpRequest, claim_id: UUID) -> HttpResponseBase:
        claim = self._claim(claim_id)
        try:
            messages.success(request, self._act(request, claim))
        except InvalidInput as refusal:
            return self._page(request, claim, trouble=_words_of(refusal), status=400)
        except (Conflict, NotFound) as refusal:
            messages.warning(request, refusal.message)
        return redirect("claims:access", claim_id=claim.id)

    def _act(self, request: HttpRequest, claim: Claim) -> str:
        action, now = request.POST.get("action", ""), timezone.now()
        if action == "restrict":
            restrict_claim(actor=self.principal, claim_id=claim.id, reason=_reason(request), now=now)
            return "Restricted: only the people below, administrators and auditors can open it."
        if action == "lift":
            lift_restriction(actor=self.principal, claim_id=claim.id, now=now)
            return "Open to all staff again."
        if action == "grant":
            name = request.POST.get("username", "").strip()
            grant = grant_access(actor=self.principal, claim_id=claim.id, username=name, now=now)
            return f"{grant.user} can open this claim."
        if action == "revoke":
            revoke_access(actor=self.principal, claim_id=claim.id, grant_id=_grant_id(request), now=now)
            return "Taken back."
        raise InvalidInput("Unknown action.")

    def _claim(self, claim_id: UUID) -> Claim:
        return claim_visible_to(principal=self.principal, claim_id=claim_id)

    def _page(self, request: HttpRequest, claim: Claim, *, trouble: str = "", status: int = 200) -> HttpResponse:
        context = {
            "claim": claim,
            "grants": list(grants_of(claim)),
            "members": members_of(current_tenant_id()),
            "reason": request.POST.get("reason", ""),
            "username": request.POST.get("username", ""),
            "trouble": trouble,
        }
        return render(request, "claims/access.html", context, status=status)


def _reason(request: HttpRequest) -> str:
    reason = request.POST.get("reason", "").strip()
    if not reason or len(reason) > _LONGEST_REASON:
        raise InvalidInput(f"Say why, in at most {_LONGEST_REASON} characters: it is kept in the history.")
    return reason


def _grant_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("grant_id", ""))
    except ValueError as error:
        raise InvalidInput("The grant is missing.") from error


def _words_of(refusal: InvalidInput) -> str:
    return refusal.problems[0].detail if refusal.problems else refusal.message
