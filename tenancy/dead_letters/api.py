"""Dead letters over HTTP: the operator decides about them, a tenant's administrator sees the own tenant's."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from observability.choices import LetterResolution
from observability.dead_letters import (
    KEEP_DAYS,
    letter_named,
    letters,
    remove_ended_letters,
    resolve_letter,
    retry_letter,
)
from observability.errors import FieldProblem, InvalidInput
from observability.models import DeadLetter
from tenancy.base_api import OperationsAPIView, ScopedAPIView
from tenancy.choices import Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.dead_letters.filters import STATES, DeadLetterFilter
from tenancy.inputs import StrictSerializer, TextField
from tenancy.listing import apply_filters, list_parameters, refuse_parameters, single_parameter
from tenancy.openapi import listed
from tenancy.permissions import require_scope
from tenancy.scope import every_tenant, tenant_scope

NEWEST_FIRST = (OrderColumn("last_failed_at", descending=True), OrderColumn("id", descending=True))
_MOST_DAYS = 3650
_FILTERS = [
    OpenApiParameter("resolution", str, enum=[value for value, _ in STATES], description="OPEN: waits for a person."),
    OpenApiParameter("kind", str, description="A kind of job."),
    OpenApiParameter("reason_code", str),
]


class DeadLetterAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    job_id = serializers.UUIDField(help_text="Stays the same when the job is retried and dies again.")
    tenant_id = serializers.UUIDField(allow_null=True, help_text="Null: a job of the platform.")
    kind = serializers.CharField()
    arguments = serializers.DictField(help_text="Ids; personal data is masked.")
    reason_code = serializers.CharField()
    traceback = serializers.CharField(allow_null=True, help_text="Masked; null for a tenant's own people.")
    attempts = serializers.IntegerField()
    first_failed_at = serializers.DateTimeField()
    last_failed_at = serializers.DateTimeField()
    resolution = serializers.ChoiceField(choices=LetterResolution.choices, allow_null=True, help_text="Null: it waits.")
    resolved_by = serializers.CharField(allow_null=True, help_text="Null while it waits, and for a tenant's people.")
    resolved_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(allow_null=True, help_text="Null for a tenant's own people.")


class RetryRequest(StrictSerializer):
    note = TextField(max_length=500, required=False, allow_blank=True, default="")


class ResolutionRequest(RetryRequest):
    resolution = serializers.ChoiceField(
        choices=[LetterResolution.RESOLVED, LetterResolution.DROPPED],
        required=False,
        default=LetterResolution.RESOLVED,
        help_text="RESOLVED: mended by other means. DROPPED: will not be done.",
    )


class CleanupAnswer(serializers.Serializer[Any]):
    deleted = serializers.IntegerField()


class DeadLettersView(ScopedAPIView):
    """`GET /dlq/jobs`"""

    scopes = {"GET": (Scope.OPS, Scope.ADMIN)}

    @extend_schema(operation_id="dead_letters_list", parameters=_FILTERS, responses=listed(DeadLetterAnswer))
    def get(self, request: Request) -> Response:
        """List dead letters, newest first: all of them for the operator, a tenant's own for its administrator."""
        wanted = list_parameters(request, allowed=("resolution", "kind", "reason_code"))
        tenant_id = self.principal.tenant_id
        with _scope_of(tenant_id):
            rows = letters(tenant_ref=str(tenant_id) if tenant_id else None)
            rows = apply_filters(DeadLetterFilter, queryset=rows, filters=wanted.filters)
            page = page_of(rows, order=NEWEST_FIRST, limit=wanted.limit, cursor=wanted.cursor, filters=wanted.filters)
        items = [letter_data(letter, whole=tenant_id is None) for letter in page.items]
        return Response({"items": items, "next_cursor": page.next_cursor})


class RetryView(OperationsAPIView):
    """`POST /dlq/{job_id}/retry`"""

    @extend_schema(operation_id="dead_letters_retry", request=RetryRequest, responses={202: DeadLetterAnswer})
    def post(self, request: Request, job_id: UUID) -> Response:
        """Run the job of a dead letter again, once, however often this is asked: the second asker gets 409."""
        refuse_parameters(request)
        wanted = RetryRequest.checked(request.data)
        require_scope(self.principal, Scope.OPS)
        letter = retry_letter(letter_id=letter_named(job_id).id, by=self.principal.id, now=timezone.now(), **wanted)
        return Response(letter_data(letter, whole=True), status=202)


class ResolutionView(OperationsAPIView):
    """`POST /dlq/{job_id}/resolve`"""

    @extend_schema(operation_id="dead_letters_resolve", request=ResolutionRequest, responses=DeadLetterAnswer)
    def post(self, request: Request, job_id: UUID) -> Response:
        """End a dead letter without running its job again."""
        refuse_parameters(request)
        wanted = ResolutionRequest.checked(request.data)
        wanted["resolution"] = LetterResolution(wanted["resolution"])
        require_scope(self.principal, Scope.OPS)
        letter = resolve_letter(letter_id=letter_named(job_id).id, by=self.principal.id, now=timezone.now(), **wanted)
        return Response(letter_data(letter, whole=True))


class CleanupView(OperationsAPIView):
    """`DELETE /dlq/cleanup`"""

    @extend_schema(
        operation_id="dead_letters_cleanup",
        parameters=[OpenApiParameter("older_than_days", int, description=f"0 to {_MOST_DAYS}, else {KEEP_DAYS}.")],
        responses={200: CleanupAnswer},  # else a DELETE is taken to answer nothing
    )
    def delete(self, request: Request) -> Response:
        """Delete the dead letters that were ended so many days ago or earlier. Those that wait for a person stay."""
        days = _days(single_parameter(request, "older_than_days"))
        require_scope(self.principal, Scope.OPS)
        return Response({"deleted": remove_ended_letters(older_than_days=days, now=timezone.now())})


def letter_data(letter: DeadLetter, *, whole: bool) -> dict[str, Any]:
    """Return a letter; `whole` is the operator's view, with what an attempt left behind and who ended it."""
    return {
        "id": str(letter.id),
        "job_id": str(letter.job_id),
        "tenant_id": letter.tenant_ref or None,
        "kind": letter.kind,
        "arguments": letter.arguments,
        "reason_code": letter.reason_code,
        "traceback": letter.traceback if whole else None,
        "attempts": letter.attempts,
        "first_failed_at": letter.first_failed_at,
        "last_failed_at": letter.last_failed_at,
        "resolution": letter.resolution or None,
        "resolved_by": (letter.resolved_by or None) if whole else None,
        "resolved_at": letter.resolved_at,
        "note": letter.note if whole else None,
    }


def _scope_of(tenant_id: UUID | None) -> AbstractContextManager[None]:
    return tenant_scope(tenant_id) if tenant_id else every_tenant("dead letters of all tenants for the operator")


def _days(text: str | None) -> int:
    if text is None:
        return KEEP_DAYS
    if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= _MOST_DAYS:
        return int(text)
    problem = FieldProblem("/older_than_days", "out_of_range", f"A whole number from 0 to {_MOST_DAYS}.")
    raise InvalidInput(problems=[problem])
