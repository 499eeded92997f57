"""``manage.py costs``: what a tenant spent in a month, its statement, and whether counters and ledger agree."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from observability.errors import InvalidInput
from tenancy.choices import SpendSpan
from tenancy.costs.budgets import standings
from tenancy.costs.counters import Difference, counter_differences, recount_spend
from tenancy.costs.hints import hints_of
from tenancy.costs.overview import CostOverview, cost_overview, month_named, records_between
from tenancy.costs.serializers import budget_data, costs_data
from tenancy.costs.spans import end_of
from tenancy.costs.statement import statement_csv, statement_of
from tenancy.models import Tenant
from tenancy.scope import tenant_scope

_FAILED, _USAGE, _NOT_FOUND = 1, 2, 3


class Command(BaseCommand):
    help = "Costs of a tenant in a month: by category and model, budgets, projection; --check compares counters."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("--month", help="as 2026-11; the present month if not given (UTC)")
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument("--json", action="store_true", help="one JSON document on standard output")
        shape.add_argument("--csv", action="store_true", help="the month's statement as CSV")
        parser.add_argument("--check", action="store_true", help="exit 1 when a counter differs from the ledger")
        parser.add_argument("--recount", action="store_true", help="make counters that differ say what the ledger says")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            self.stderr.write(f"No tenant {options['tenant']}.")
            sys.exit(_NOT_FOUND)
        now = timezone.now()
        try:
            month = month_named(options["month"], now=now)
        except InvalidInput:
            self.stderr.write("--month: a month as 2026-11.")
            sys.exit(_USAGE)
        with tenant_scope(tenant.id):
            if options["check"] or options["recount"]:
                self._check(month, mend=options["recount"], as_json=options["json"])
            elif options["csv"]:
                self.stdout.write(statement_csv(statement_of(month=month, now=now)), ending="")
            else:
                self._tell(cost_overview(month=month, now=now), now, as_json=options["json"])

    def _tell(self, overview: CostOverview, now: datetime, *, as_json: bool) -> None:
        if as_json:
            hints = hints_of(records_between(overview.starts_at, overview.ends_at))
            budgets = [budget_data(standing) for standing in overview.budgets]
            self.stdout.write(json.dumps({**costs_data(overview, hints), "budgets": budgets}, default=_plain))
            return
        self.stdout.write("\n".join(_lines(overview, now)))

    def _check(self, month: datetime, *, mend: bool, as_json: bool) -> None:
        found = counter_differences(since=month, until=end_of(SpendSpan.MONTH, month))
        if mend:
            for one in found:
                recount_spend(span=one.span, starts_at=one.starts_at)
        if as_json:
            rows = [{"span": d.span, "starts_at": d.starts_at, "by_nanos": _off(d)} for d in found]
            self.stdout.write(json.dumps({"ok": not found or mend, "differences": rows}, default=_plain))
        else:
            told = [f"{d.span} {d.starts_at:%Y-%m-%d}: the counter is off by {_off(d)} billionths" for d in found]
            self.stdout.write("\n".join(told) or "Every counter says what the ledger says.")
        if found and not mend:
            sys.exit(_FAILED)


def _lines(overview: CostOverview, now: datetime) -> list[str]:
    lines = [f"{overview.starts_at:%Y-%m}: {overview.total_usd:.2f} US dollars"]
    for one in overview.categories:
        estimate = " (estimate)" if one.estimated else ""
        lines.append(f"  {one.category.label:<14}{one.amount_usd:>14.4f}{estimate}")
    for model in overview.models:
        lines.append(f"  {model.provider} {model.model}: {model.calls} calls, {model.amount_usd:.4f}")
    for standing in standings(now=now):
        budget = standing.budget
        lines.append(
            f"  budget a {budget.period.lower()}: {standing.percent} % of {budget.limit_usd} ({budget.policy})"
        )
    found = overview.projection
    if found is not None:
        lines.append(f"  at the month's end {found.expected:.2f}, between {found.low:.2f} and {found.high:.2f} (90 %)")
    return lines


def _off(one: Difference) -> int:
    return one.counted_nanos - one.ledger_nanos


def _plain(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
