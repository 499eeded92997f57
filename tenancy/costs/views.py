"""Pages of costs for the tenant's administrator: the month, its budgets, where money could be saved, the statement."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from observability.errors import FieldProblem, InvalidInput, PlatformError
from tenancy.base_views import TenantView
from tenancy.choices import BudgetPeriod, BudgetPolicy, Scope
from tenancy.costs.budgets import budget_of, change_budget, create_budget, remove_budget
from tenancy.costs.overview import cost_overview, month_named
from tenancy.costs.page import month_context, saving_context
from tenancy.costs.statement import statement_csv, statement_of
from tenancy.scope import current_tenant_id
from tenancy.selectors import tenant_of

_ADMIN = (Scope.ADMIN,)


class CostsPage(TenantView):
    """A month's costs."""

    any_scope = _ADMIN

    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        month = month_named(request.GET.get("month"), now=now)
        overview = cost_overview(month=month, now=now)
        context = month_context(overview, now) | saving_context(request.GET, overview, now)
        return render(request, "tenancy/costs.html", context)


class BudgetsPage(TenantView):
    """What is done with the budgets on the page of costs."""

    any_scope = _ADMIN
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            messages.success(request, self._change(request))
        except PlatformError as refusal:
            messages.warning(request, " ".join([refusal.message, *(p.detail for p in refusal.problems)]))
        return redirect("costs:month")

    def _change(self, request: HttpRequest) -> str:
        actor, now, action = self.principal, timezone.now(), request.POST.get("action")
        if action == "remove":
            remove_budget(actor=actor, budget_id=_uuid(request.POST.get("budget", "")), now=now)
            return "The budget is removed: nothing is told of or stopped any more."
        limit, policy = _limit(request.POST.get("limit", "")), _policy(request.POST.get("policy", ""))
        if action == "change":
            budget = budget_of(_uuid(request.POST.get("budget", "")))
            change_budget(actor=actor, budget=budget, limit_usd=limit, policy=policy, now=now)
            return "The budget is changed."
        period = request.POST.get("period", "")
        if action != "set" or period not in BudgetPeriod.values:
            raise InvalidInput("Unknown action.")
        create_budget(actor=actor, period=BudgetPeriod(period), limit_usd=limit, policy=policy, now=now)
        return "The budget is set."


class StatementPage(TenantView):
    """The monthly statement, as a page or as CSV."""

    any_scope = _ADMIN

    def get(self, request: HttpRequest, month: str) -> HttpResponse:
        now = timezone.now()
        name = month.removesuffix(".csv")
        statement = statement_of(month=month_named(name, now=now), now=now)
        tenant = tenant_of(current_tenant_id())
        if name == month:
            context = {"statement": statement, "tenant": tenant, "month": name, "now": now}
            return render(request, "tenancy/statement.html", context)
        answer = HttpResponse(statement_csv(statement), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = f'attachment; filename="costs-{tenant.slug}-{name}.csv"'
        return answer


def _limit(text: str) -> Decimal:
    try:
        return Decimal(text.strip().replace(",", ""))
    except InvalidOperation as error:
        problem = FieldProblem("/limit", "invalid", "Give the limit in US dollars, as 250.00.")
        raise InvalidInput(problems=[problem]) from error


def _policy(text: str) -> BudgetPolicy:
    if text not in BudgetPolicy.values:
        raise InvalidInput("Unknown policy.")
    return BudgetPolicy(text)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InvalidInput("Unknown budget.") from error
