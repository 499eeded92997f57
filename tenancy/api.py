"""Keys, tenant, tasks and the state of the audit trail over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from observability.errors import FieldProblem, InvalidInput, PermissionRefused
from tenancy import serializers as bodies
from tenancy.audit_verification import verify_audit
from tenancy.base_api import TenantAPIView, created
from tenancy.choices import Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.errors import NotSealedYet
from tenancy.etags import answer_with_etag, etag_for, require_match
from tenancy.idempotency import SecretShownOnce
from tenancy.listing import list_parameters, refuse_parameters, single_parameter
from tenancy.models import Tenant
from tenancy.openapi import listed
from tenancy.scope import current_tenant_id
from tenancy.selectors import event_of, key_of, keys_of, task_visible_to, tenant_of
from tenancy.services import IssuedKey, change_api_key, change_tenant, create_api_key, revoke_api_key, rotate_api_key
from tenancy.trail.proofs import checkpoint_with_proof, proof_of
from tenancy.trail.seals import latest_seal
from tenancy.usage import usage_of

_SIZE_DIGITS = 18
_SINCE = OpenApiParameter(
    "since",
    int,
    description="Size of an earlier checkpoint; the answer then proves that its events are all still there.",
)
_NEWEST_FIRST = (OrderColumn("created_at", descending=True), OrderColumn("id", descending=True))


class ApiKeysView(SecretShownOnce):
    """`GET|POST /api-keys`"""

    scopes = {"GET": (Scope.ADMIN,), "POST": (Scope.ADMIN,)}

    @extend_schema(operation_id="api_keys_list", responses=listed(bodies.ApiKeyAnswer))
    def get(self, request: Request) -> Response:
        """List the tenant's keys, newest first."""
        wanted = list_parameters(request)
        keys = keys_of(current_tenant_id())
        page = page_of(keys, order=_NEWEST_FIRST, limit=wanted.limit, cursor=wanted.cursor, filters=wanted.filters)
        return Response({"items": [bodies.api_key_data(key) for key in page.items], "next_cursor": page.next_cursor})

    @extend_schema(request=bodies.ApiKeyRequest, responses={201: bodies.IssuedKeyAnswer})
    def post(self, request: Request) -> Response:
        """Make a key. Its secret is in this answer and nowhere else."""
        refuse_parameters(request)
        wanted = bodies.ApiKeyRequest.checked(request.data)
        return _issued(create_api_key(actor=self.principal, now=timezone.now(), **wanted))


class ApiKeyView(TenantAPIView):
    """`GET|PATCH|DELETE /api-keys/{id}`"""

    scopes = {"GET": (Scope.ADMIN,), "PATCH": (Scope.ADMIN,), "DELETE": (Scope.ADMIN,)}

    @extend_schema(responses=bodies.ApiKeyAnswer)
    def get(self, request: Request, key_id: UUID) -> Response:
        """Show a key without its secret."""
        refuse_parameters(request)
        return Response(bodies.api_key_data(key_of(tenant_id=current_tenant_id(), key_id=key_id)))

    @extend_schema(operation_id="api_keys_change", request=bodies.ApiKeyChange, responses=bodies.ApiKeyAnswer)
    def patch(self, request: Request, key_id: UUID) -> Response:
        """Set how fast a key may go."""
        refuse_parameters(request)
        wanted = bodies.ApiKeyChange.checked(request.data)
        key = change_api_key(actor=self.principal, key_id=key_id, now=timezone.now(), **wanted)
        return Response(bodies.api_key_data(key))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key_id: UUID) -> Response:
        """Revoke a key at once; it stays in the list."""
        refuse_parameters(request)
        revoke_api_key(actor=self.principal, key_id=key_id, now=timezone.now())
        return Response(status=204)


class ApiKeyRotationView(SecretShownOnce):
    """`POST /api-keys/{id}/rotate`"""

    scopes = {"POST": (Scope.ADMIN,)}

    @extend_schema(operation_id="api_keys_rotate", request=None, responses={201: bodies.IssuedKeyAnswer})
    def post(self, request: Request, key_id: UUID) -> Response:
        """Make the successor of a key; the old one works for another 24 hours."""
        refuse_parameters(request)
        bodies.NoBody.checked(request.data)
        return _issued(rotate_api_key(actor=self.principal, key_id=key_id, now=timezone.now()))


class TenantView(TenantAPIView):
    """`GET|PATCH /tenant`"""

    scopes = {"GET": (Scope.READ,), "PATCH": (Scope.ADMIN,)}

    @extend_schema(operation_id="tenant_retrieve", responses=bodies.TenantAnswer)
    def get(self, request: Request) -> Response:
        """Show the credential's tenant."""
        refuse_parameters(request)
        tenant = tenant_of(current_tenant_id())
        redacted = self.principal.is_client
        data = bodies.tenant_data(tenant, redacted=redacted)
        return answer_with_etag(request, data, _etag(tenant, redacted=redacted))

    @extend_schema(operation_id="tenant_change", request=bodies.TenantChange, responses=bodies.TenantAnswer)
    def patch(self, request: Request) -> Response:
        """Change name and settings; with If-Match only the version that was read."""
        refuse_parameters(request)
        wanted = bodies.TenantChange.checked(request.data)
        if {"tier", "status"} & wanted.keys():
            raise PermissionRefused("Tier and status are set by the platform's operator.")
        tenant = tenant_of(current_tenant_id())
        require_match(request, _etag(tenant, redacted=self.principal.is_client))
        tenant = change_tenant(
            actor=self.principal,
            tenant=tenant,
            name=wanted.get("name"),
            settings=wanted.get("settings", {}),
            now=timezone.now(),
        )
        return Response(bodies.tenant_data(tenant, redacted=False), headers={"ETag": _etag(tenant, redacted=False)})


class TenantUsageView(TenantAPIView):
    """`GET /tenant/usage`"""

    scopes = {"GET": (Scope.READ,)}

    @extend_schema(operation_id="tenant_usage", responses=bodies.UsageAnswer)
    def get(self, request: Request) -> Response:
        """Show what the tenant has used of its quotas. The claimant's side does not see it."""
        refuse_parameters(request)
        if self.principal.is_client:
            raise PermissionRefused
        return Response(bodies.usage_data(usage_of(tenant_of(current_tenant_id()), now=timezone.now())))


class TaskView(TenantAPIView):
    """`GET /tasks/{task_id}`"""

    scopes = {"GET": (Scope.READ,)}

    @extend_schema(operation_id="tasks_retrieve", responses=bodies.TaskAnswer)
    def get(self, request: Request, task_id: UUID) -> Response:
        """Show how far a task is. A client sees the tasks it asked for."""
        refuse_parameters(request)
        return Response(bodies.task_data(task_visible_to(principal=self.principal, task_id=task_id)))


class AuditVerificationView(TenantAPIView):
    """`GET /audit/verify`"""

    scopes = {"GET": (Scope.AUDIT,)}

    @extend_schema(operation_id="audit_verify", responses=bodies.AuditVerification)
    def get(self, request: Request) -> Response:
        """Check the whole trail of the tenant and name the first bad event, if any."""
        refuse_parameters(request)
        return Response(bodies.verification_data(verify_audit(tenant_of(current_tenant_id()))))


class AuditProofView(TenantAPIView):
    """`GET /audit/events/{id}/proof`"""

    scopes = {"GET": (Scope.AUDIT,)}

    @extend_schema(operation_id="audit_proof", responses=bodies.AuditProof)
    def get(self, request: Request, event_id: UUID) -> Response:
        """Prove that one event stands, unchanged, under the newest signed root. 409 in the moment before its seal."""
        refuse_parameters(request)
        return Response(proof_of(tenant_of(current_tenant_id()), event_of(event_id)))


class AuditCheckpointView(TenantAPIView):
    """`GET /audit/checkpoint`"""

    scopes = {"GET": (Scope.AUDIT,)}

    @extend_schema(operation_id="audit_checkpoint", parameters=[_SINCE], responses=bodies.AuditCheckpoint)
    def get(self, request: Request) -> Response:
        """Show the newest seal as a signed checkpoint, to be kept elsewhere. 409 before the first seal."""
        since = _tree_size(single_parameter(request, "since"))
        last = latest_seal()
        if last is None:
            raise NotSealedYet
        return Response(checkpoint_with_proof(tenant_of(current_tenant_id()), last, since=since))


def _tree_size(text: str | None) -> int:
    if text is None:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= _SIZE_DIGITS and int(text):
        return int(text)
    raise InvalidInput(problems=[FieldProblem("/since", "invalid", "The size of an earlier checkpoint is asked for.")])


def _etag(tenant: Tenant, *, redacted: bool) -> str:
    return etag_for(tenant, "redacted" if redacted else "whole")


def _issued(issued: IssuedKey) -> Response:
    data = {**bodies.api_key_data(issued.key), "secret": issued.secret}
    response = created(data, location=reverse("api_tenancy:api-key", kwargs={"key_id": issued.key.id}))
    response.headers["Cache-Control"] = "private, no-store"
    return response
