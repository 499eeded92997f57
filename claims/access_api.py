"""Restricted claims, and claims opened to one person, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from claims.models import ClaimGrant
from claims.selectors import claim_visible_to
from claims.services import grant_access, lift_restriction, restrict_claim, revoke_access
from claims.visibility import SEE_SHARED, grants_of
from tenancy.base_api import TenantAPIView, created
from tenancy.choices import Scope
from tenancy.idempotency import IdempotentCreate
from tenancy.inputs import StrictSerializer, TextField
from tenancy.listing import refuse_parameters

_LONGEST_REASON = 500
ACCESS_KINDS = ("SHARED", "RESTRICTED_FILE")


class RestrictionBody(StrictSerializer):
    reason = TextField(max_length=_LONGEST_REASON, help_text="Kept in the history.")


class GrantBody(StrictSerializer):
    username = TextField(max_length=150, help_text="A member of the tenant.")


class RestrictionAnswer(serializers.Serializer[Any]):
    claim_id = serializers.UUIDField()
    restricted = serializers.BooleanField()


class GrantAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    claim_id = serializers.UUIDField()
    user_id = serializers.UUIDField()
    username = serializers.CharField()
    access = serializers.ChoiceField(
        choices=ACCESS_KINDS, help_text="SHARED: a client sees another's claim. RESTRICTED_FILE: staff opens it."
    )


class GrantListAnswer(serializers.Serializer[Any]):
    items = GrantAnswer(many=True)


def grant_data(grant: ClaimGrant) -> dict[str, Any]:
    """Return a grant in the API's shape; `user` and `permission` are loaded."""
    return {
        "id": str(grant.id),
        "claim_id": str(grant.content_object_id),
        "user_id": str(grant.user_id),
        "username": grant.user.username,
        "access": "SHARED" if grant.permission.codename == SEE_SHARED else "RESTRICTED_FILE",
    }


class RestrictionView(IdempotentCreate):
    """`POST|DELETE /claims/{id}/restriction`"""

    scopes = {"POST": (Scope.SUPERVISE,), "DELETE": (Scope.SUPERVISE,)}

    @extend_schema(operation_id="claims_restrict", request=RestrictionBody, responses={201: RestrictionAnswer})
    def post(self, request: Request, claim_id: UUID) -> Response:
        """Close a claim to all staff but those it is opened to, for a special investigation."""
        refuse_parameters(request)
        reason = RestrictionBody.checked(request.data)["reason"]
        claim = restrict_claim(actor=self.principal, claim_id=claim_id, reason=reason, now=timezone.now())
        address = reverse("api_claims:claim", kwargs={"claim_id": claim.id})
        return created({"claim_id": str(claim.id), "restricted": True}, location=address)

    @extend_schema(operation_id="claims_lift_restriction", responses={204: None})
    def delete(self, request: Request, claim_id: UUID) -> Response:
        """Open the claim to all staff again."""
        refuse_parameters(request)
        lift_restriction(actor=self.principal, claim_id=claim_id, now=timezone.now())
        return Response(status=204)


class GrantsView(IdempotentCreate):
    """`GET|POST /claims/{id}/grants`"""

    scopes = {"GET": (Scope.SUPERVISE,), "POST": (Scope.SUPERVISE,)}

    @extend_schema(operation_id="claims_grants", responses=GrantListAnswer)
    def get(self, request: Request, claim_id: UUID) -> Response:
        """List who may open the claim beside what roles say."""
        refuse_parameters(request)
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        return Response({"items": [grant_data(grant) for grant in grants_of(claim)]})

    @extend_schema(operation_id="claims_grant", request=GrantBody, responses={201: GrantAnswer})
    def post(self, request: Request, claim_id: UUID) -> Response:
        """Open the claim to one member: a restricted file to staff, another's claim to a client."""
        refuse_parameters(request)
        username = GrantBody.checked(request.data)["username"]
        grant = grant_access(actor=self.principal, claim_id=claim_id, username=username, now=timezone.now())
        address = reverse("api_claims:claim-grant", kwargs={"claim_id": claim_id, "grant_id": grant.id})
        return created(grant_data(grant), location=address)


class GrantView(TenantAPIView):
    """`DELETE /claims/{id}/grants/{grant_id}`"""

    scopes = {"DELETE": (Scope.SUPERVISE,)}

    @extend_schema(operation_id="claims_revoke_grant", responses={204: None})
    def delete(self, request: Request, claim_id: UUID, grant_id: UUID) -> Response:
        """Take a grant back; it no longer counts from the next request on."""
        refuse_parameters(request)
        revoke_access(actor=self.principal, claim_id=claim_id, grant_id=grant_id, now=timezone.now())
        return Response(status=204)
