"""The review desk over HTTP: queue, leases, decision, history, summary."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from claims.selectors import claim_visible_to
from reviews import api_schema as schema
from reviews.leases import release_lease, renew_lease, take_lease, take_next
from reviews.models import ReviewLease
from reviews.queue import QueueFilters, open_claims, queue_columns, queue_counts, queue_item, queue_rows
from reviews.selectors import history_events, history_items, review_summary
from reviews.serializers import (
    LeaseToken,
    QueueQuery,
    ReviewDecision,
    decision_data,
    history_data,
    lease_data,
)
from reviews.services import decide_claim
from tenancy.base_api import TenantAPIView
from tenancy.choices import Scope
from tenancy.cursors import OrderColumn, page_of
from tenancy.etags import etag_for, require_match
from tenancy.idempotency import IdempotentCreate
from tenancy.listing import list_parameters, refuse_parameters
from tenancy.scope import current_tenant_id
from tenancy.serializers import NoBody

_OLDEST_FIRST = (OrderColumn("id"),)


class QueueView(TenantAPIView):
    """`GET /reviews/queue`: class first, then what is due first."""

    scopes = {"GET": (Scope.REVIEW,)}

    @extend_schema(**schema.QUEUE)
    def get(self, request: Request) -> Response:
        wanted = list_parameters(request, ("priority", "mine", "overdue"))
        now = timezone.now()
        filters = QueueFilters(**_checked(QueueQuery(data=wanted.filters)))
        claims = open_claims(principal=self.principal, filters=filters, now=now)
        page = page_of(
            queue_rows(claims),
            order=queue_columns(filters),
            limit=wanted.limit,
            cursor=wanted.cursor,
            filters=wanted.filters,
        )
        return Response(
            {
                "items": [queue_item(row, now) for row in page.items],
                "next_cursor": page.next_cursor,
                "counts": queue_counts(tenant_id=current_tenant_id(), now=now),
            }
        )


class NextView(IdempotentCreate):
    """`POST /reviews/next`: take the first claim that nobody holds."""

    scopes = {"POST": (Scope.REVIEW,)}

    @extend_schema(**schema.NEXT)
    def post(self, request: Request) -> Response:
        refuse_parameters(request)
        _checked(NoBody(data=request.data))
        lease = take_next(actor=self.principal, now=timezone.now())
        return _held(lease) if lease else Response(status=204)


class LeaseView(IdempotentCreate):
    """`POST|PUT|DELETE /reviews/{claim_id}/lease`: take, renew, release."""

    scopes = {verb: (Scope.REVIEW,) for verb in ("POST", "PUT", "DELETE")}

    @extend_schema(**schema.TAKE)
    def post(self, request: Request, claim_id: UUID) -> Response:
        refuse_parameters(request)
        _checked(NoBody(data=request.data))
        return _held(take_lease(claim_id=claim_id, actor=self.principal, now=timezone.now()))

    @extend_schema(**schema.RENEW)
    def put(self, request: Request, claim_id: UUID) -> Response:
        refuse_parameters(request)
        token = _checked(LeaseToken(data=request.data))["lease_token"]
        claim_visible_to(principal=self.principal, claim_id=claim_id)
        return _held(renew_lease(claim_id=claim_id, token=token, actor=self.principal, now=timezone.now()))

    @extend_schema(**schema.RELEASE)
    def delete(self, request: Request, claim_id: UUID) -> Response:
        refuse_parameters(request)
        token = _checked(LeaseToken(data=request.data))["lease_token"]
        claim_visible_to(principal=self.principal, claim_id=claim_id)
        release_lease(claim_id=claim_id, token=token, actor=self.principal, now=timezone.now())
        return Response(status=204)


class DecisionView(IdempotentCreate):
    """`POST /reviews/{claim_id}/decision`; with If-Match only on the version that was read."""

    scopes = {"POST": (Scope.REVIEW,)}

    @extend_schema(**schema.DECIDE)
    def post(self, request: Request, claim_id: UUID) -> Response:
        refuse_parameters(request)
        body = ReviewDecision(data=request.data)
        body.is_valid(raise_exception=True)
        draft = body.draft(claim_version=self._matched_version(request, claim_id))
        decision = decide_claim(claim_id=claim_id, actor=self.principal, draft=draft, now=timezone.now())
        return Response(decision_data(decision), status=201)

    def _matched_version(self, request: Request, claim_id: UUID) -> int | None:
        """Return the version that If-Match named, which the service compares again under its lock."""
        if "If-Match" not in request.headers:
            return None
        claim = claim_visible_to(principal=self.principal, claim_id=claim_id)
        require_match(request, etag_for(claim))
        return claim.version


class HistoryView(TenantAPIView):
    """`GET /reviews/{claim_id}/history`: what happened, oldest first, as the audit trail holds it."""

    scopes = {"GET": (Scope.REVIEW, Scope.AUDIT)}

    @extend_schema(**schema.HISTORY)
    def get(self, request: Request, claim_id: UUID) -> Response:
        wanted = list_parameters(request)
        claim_visible_to(principal=self.principal, claim_id=claim_id)
        page = page_of(
            history_events(claim_id=claim_id),
            order=_OLDEST_FIRST,
            limit=wanted.limit,
            cursor=wanted.cursor,
            filters={"claim": str(claim_id)},
        )
        items = [history_data(item) for item in history_items(page.items)]
        return Response({"items": items, "next_cursor": page.next_cursor})


class SummaryView(TenantAPIView):
    """`GET /metrics/summary`: how the desk is doing."""

    scopes = {"GET": (Scope.REVIEW,)}

    @extend_schema(**schema.SUMMARY)
    def get(self, request: Request) -> Response:
        refuse_parameters(request)
        return Response(review_summary(now=timezone.now()))


def _held(lease: ReviewLease) -> Response:
    return Response(lease_data(lease), headers={"ETag": etag_for(lease.claim)})


def _checked(body: Serializer[Any]) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
