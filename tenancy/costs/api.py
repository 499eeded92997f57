"""Costs and budgets over HTTP, for the tenant's administrator."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy.base_api import TenantAPIView, created
from tenancy.choices import Scope
from tenancy.costs import serializers as bodies
from tenancy.costs.budgets import (
    budget_of,
    budgets,
    change_budget,
    create_budget,
    remove_budget,
    standing_of,
)
from tenancy.costs.calculator import MEANS_OF, Return, estimate, mean_shape
from tenancy.costs.hints import hints_of
from tenancy.costs.inputs import PARAMETERS, calculator_inputs
from tenancy.costs.overview import cost_overview, model_costs, month_named, records_between
from tenancy.cursors import OrderColumn, page_of
from tenancy.etags import etag_for, require_match
from tenancy.idempotency import IdempotentCreate
from tenancy.listing import list_parameters, refuse_parameters, single_parameter, single_parameters
from tenancy.openapi import listed

_ADMIN: Any = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), (Scope.ADMIN,))
_ORDER = (OrderColumn("created_at"), OrderColumn("id"))
_MONTH = OpenApiParameter("month", str, description="A month as 2026-11; the present one if not given (UTC).")

_CALCULATOR = [
    OpenApiParameter("claims", int, description="Claims a month; 1000 if not given."),
    OpenApiParameter("model", str, description="gpt-4o-mini if not given; an unknown one costs the highest price."),
    OpenApiParameter("minutes", float, description="Minutes that a claim takes by hand; 12 if not given."),
    OpenApiParameter("wage", float, description="US dollars an hour of that work; 38 if not given."),
]


class CostsView(TenantAPIView):
    """`GET /costs`"""

    scopes: ClassVar[Any] = _ADMIN

    @extend_schema(operation_id="costs", parameters=[_MONTH], responses=bodies.CostsAnswer)
    def get(self, request: Request) -> Response:
        """Tell a month's costs by category, model and day, where the month will end, and what was unusual."""
        now = timezone.now()
        month = month_named(single_parameter(request, "month"), now=now)
        overview = cost_overview(month=month, now=now)
        hints = hints_of(records_between(overview.starts_at, overview.ends_at))
        return Response(bodies.costs_data(overview, hints))


class CostEstimateView(TenantAPIView):
    """`GET /costs/estimate`"""

    scopes: ClassVar[Any] = _ADMIN

    @extend_schema(operation_id="costs_estimate", parameters=_CALCULATOR, responses=bodies.EstimateAnswer)
    def get(self, request: Request) -> Response:
        """Tell what so many claims a month cost on a model, from the tenant's own mean call, and what people would."""
        now = timezone.now()
        given = calculator_inputs(single_parameters(request, known=PARAMETERS))
        shape = mean_shape(model_costs(records_between(now - MEANS_OF, now)))
        found = estimate(model=given.model, claims=given.claims, shape=shape)
        returned = Return(given.claims, given.minutes, given.wage_usd, found.total_usd)
        return Response(bodies.estimate_data(found, returned))


class BudgetsView(IdempotentCreate):
    """`GET|POST /budgets`"""

    scopes: ClassVar[Any] = _ADMIN

    @extend_schema(operation_id="budgets_list", responses=listed(bodies.BudgetAnswer))
    def get(self, request: Request) -> Response:
        """List the budgets with how they stand."""
        wanted, now = list_parameters(request), timezone.now()
        page = page_of(budgets(), order=_ORDER, limit=wanted.limit, cursor=wanted.cursor, filters=wanted.filters)
        items = [bodies.budget_data(standing_of(budget, now=now)) for budget in page.items]
        return Response({"items": items, "next_cursor": page.next_cursor})

    @extend_schema(request=bodies.BudgetRequest, responses={201: bodies.BudgetAnswer})
    def post(self, request: Request) -> Response:
        """Set a budget for a month or a day; what was spent before counts. One of each."""
        refuse_parameters(request)
        wanted, now = bodies.BudgetRequest.checked(request.data), timezone.now()
        budget = create_budget(
            actor=self.principal,
            period=wanted["period"],
            limit_usd=wanted["limit"]["amount"],
            policy=wanted["policy"],
            now=now,
        )
        location = reverse("api_tenancy:budget", args=[budget.id])
        return created(bodies.budget_data(standing_of(budget, now=now)), location=location)


class BudgetView(TenantAPIView):
    """`GET|PATCH|DELETE /budgets/{id}`"""

    scopes: ClassVar[Any] = _ADMIN

    @extend_schema(responses=bodies.BudgetAnswer)
    def get(self, request: Request, budget_id: UUID) -> Response:
        """Show a budget and how it stands."""
        refuse_parameters(request)
        budget = budget_of(budget_id)
        # The tag is the version of what was set; what is spent changes under it, so nobody is told 304.
        data = bodies.budget_data(standing_of(budget, now=timezone.now()))
        return Response(data, headers={"ETag": etag_for(budget)})

    @extend_schema(operation_id="budgets_change", request=bodies.BudgetChange, responses=bodies.BudgetAnswer)
    def patch(self, request: Request, budget_id: UUID) -> Response:
        """Change limit or policy; with If-Match only the version that was read."""
        refuse_parameters(request)
        wanted, now = bodies.BudgetChange.checked(request.data), timezone.now()
        budget = budget_of(budget_id)
        require_match(request, etag_for(budget))
        limit = wanted["limit"]["amount"] if "limit" in wanted else None
        budget = change_budget(
            actor=self.principal, budget=budget, limit_usd=limit, policy=wanted.get("policy"), now=now
        )
        return Response(bodies.budget_data(standing_of(budget, now=now)), headers={"ETag": etag_for(budget)})

    @extend_schema(responses={204: None})
    def delete(self, request: Request, budget_id: UUID) -> Response:
        """Remove a budget: nothing is told of and nothing stopped any more."""
        refuse_parameters(request)
        remove_budget(actor=self.principal, budget_id=budget_id, now=timezone.now())
        return Response(status=204)
