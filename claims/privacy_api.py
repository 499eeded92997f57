"""Legal hold and erasure of claims over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from claims import api_schema as schema
from claims.privacy_inputs import EraseBody, LegalHoldBody
from claims.services import erase_claim, set_legal_hold
from tenancy.base_api import TenantAPIView
from tenancy.choices import Scope
from tenancy.listing import refuse_parameters


class LegalHoldView(TenantAPIView):
    """`PUT /claims/{id}/legal-hold`"""

    scopes = {"PUT": (Scope.SUPERVISE,)}

    @extend_schema(**schema.LEGAL_HOLD)
    def put(self, request: Request, claim_id: UUID) -> Response:
        """Put a claim on legal hold, or lift the hold; while it stands nothing of the claim is erased."""
        refuse_parameters(request)
        wanted = LegalHoldBody.checked(request.data)
        claim = set_legal_hold(actor=self.principal, claim_id=claim_id, now=timezone.now(), **wanted)
        data = {"claim_id": str(claim.id), "held_since": claim.held_since, "reason": claim.hold_reason}
        return Response(data)


class EraseView(TenantAPIView):
    """`POST /claims/{id}/erase`: safe to send twice, the second one answers the same."""

    scopes = {"POST": (Scope.ADMIN,)}

    @extend_schema(**schema.ERASE)
    def post(self, request: Request, claim_id: UUID) -> Response:
        """Erase the personal data and the media of a decided claim for good; what was decided and when stays."""
        refuse_parameters(request)
        reason = EraseBody.checked(request.data)["reason"]
        erasure = erase_claim(actor=self.principal, claim_id=claim_id, now=timezone.now(), reason=reason).erasure
        data = {"claim_id": str(claim_id), "erased_at": erasure.erased_at, "task_id": str(erasure.job_id)}
        return Response(data, status=202)
