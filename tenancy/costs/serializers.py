"""Bodies of the API of costs and budgets; money is an amount with its currency, always US dollars."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenancy.choices import BudgetPeriod, BudgetPolicy, CostCategory
from tenancy.costs.budgets import BudgetStanding
from tenancy.costs.calculator import Estimate, Return
from tenancy.costs.hints import Hint, HintKind
from tenancy.costs.overview import CostOverview
from tenancy.costs.projection import LEVEL, Projection
from tenancy.costs.spans import usd_of
from tenancy.inputs import StrictSerializer
from tenancy.models import SpendAnomaly

CURRENCY = "USD"


class MoneyAnswer(serializers.Serializer[Any]):
    amount = serializers.CharField(help_text="Decimal, exact; up to nine places.")
    currency = serializers.ChoiceField(choices=[CURRENCY])


@extend_schema_field({"type": "string", "pattern": r"^\d{1,10}(\.\d{1,2})?$"})
class AmountField(serializers.DecimalField):
    """An amount as text: a JSON number would pass through floating point."""

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class MoneyRequest(StrictSerializer):
    amount = AmountField(max_digits=12, decimal_places=2, min_value=Decimal(0))
    currency = serializers.ChoiceField(choices=[CURRENCY])


class BudgetRequest(StrictSerializer):
    period = serializers.ChoiceField(choices=BudgetPeriod.choices)
    limit = MoneyRequest()
    policy = serializers.ChoiceField(
        choices=BudgetPolicy.choices,
        default=BudgetPolicy.LOCAL,
        help_text="At the limit: ALERT only tells, LOCAL uses the local model and else the rules, RULES the rules "
        "alone. No claim fails for it.",
    )


class BudgetChange(StrictSerializer):
    limit = MoneyRequest(required=False)
    policy = serializers.ChoiceField(choices=BudgetPolicy.choices, required=False)


class BudgetAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    period = serializers.ChoiceField(choices=BudgetPeriod.choices)
    limit = MoneyAnswer()
    policy = serializers.ChoiceField(choices=BudgetPolicy.choices)
    starts_at = serializers.DateTimeField(help_text="Of the present period, UTC.")
    ends_at = serializers.DateTimeField()
    spent = MoneyAnswer()
    reserved = MoneyAnswer(help_text="Held for calls under way.")
    remaining = MoneyAnswer()
    percent = serializers.IntegerField(help_text="Spent of the limit, at most 999.")
    alerts = serializers.ListField(
        child=serializers.IntegerField(), help_text="Shares that were told of in this period: 80, 100."
    )
    created_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class CategoryAnswer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=CostCategory.choices)
    cost = MoneyAnswer()
    entries = serializers.IntegerField()
    estimated = serializers.BooleanField(help_text="Some of it is an estimate.")


class ModelCostAnswer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    model = serializers.CharField()
    calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    cached_tokens = serializers.IntegerField(help_text="Of the input.")
    output_tokens = serializers.IntegerField()
    cost = MoneyAnswer()


class DayAnswer(serializers.Serializer[Any]):
    day = serializers.DateField()
    cost = MoneyAnswer()


class ProjectionAnswer(serializers.Serializer[Any]):
    expected = MoneyAnswer()
    low = MoneyAnswer()
    high = MoneyAnswer()
    level = serializers.FloatField(help_text="So many months of hundred end between low and high.")
    days_known = serializers.IntegerField()
    days_left = serializers.IntegerField(help_text="Today included.")


class AnomalyAnswer(serializers.Serializer[Any]):
    found_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True, help_text="Null: still going on.")
    spent = MoneyAnswer(help_text="In the ten minutes before it was found.")
    expected = MoneyAnswer(help_text="Usual in ten minutes at such a time.")


class HintAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=[str(kind) for kind in HintKind])
    title = serializers.CharField()
    saving = MoneyAnswer(help_text="At most, in the month that is looked at.")
    basis = serializers.CharField(help_text="How the figure was computed.")


class CallAnswer(serializers.Serializer[Any]):
    text_tokens = serializers.FloatField()
    pictures = serializers.FloatField()
    output_tokens = serializers.FloatField()
    calls = serializers.IntegerField(help_text="The mean is of so many of the tenant's calls; 0: an assumption.")


class EstimateAnswer(serializers.Serializer[Any]):
    model = serializers.CharField()
    listed = serializers.BooleanField(help_text="False: the highest listed price was taken.")
    claims = serializers.IntegerField()
    prices_of = serializers.CharField()
    call = CallAnswer()
    cost_per_call = MoneyAnswer()
    models = MoneyAnswer()
    inference = MoneyAnswer()
    requests = MoneyAnswer()
    total = MoneyAnswer(help_text="A month.")
    manual = MoneyAnswer(help_text="claims × minutes / 60 × wage.")
    saved = MoneyAnswer(help_text="manual − total; with a minus where people are cheaper.")


class CostsAnswer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    total = MoneyAnswer()
    categories = CategoryAnswer(many=True)
    models = ModelCostAnswer(many=True)
    days = DayAnswer(many=True)
    projection = ProjectionAnswer(
        allow_null=True, help_text="Null for a past month, and below seven whole days of costs."
    )
    anomalies = AnomalyAnswer(many=True)
    hints = HintAnswer(many=True)


def money(amount: Decimal) -> dict[str, str]:
    """Return an amount as the API shows it: at least two places, none that say nothing."""
    plain = amount.normalize()
    places = max(2, -int(plain.as_tuple().exponent)) if plain else 2
    return {"amount": f"{plain:.{places}f}", "currency": CURRENCY}


def rough(amount: float) -> dict[str, str]:
    """Return an estimate in whole cents."""
    return money(Decimal(repr(amount)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))


def budget_data(standing: BudgetStanding) -> dict[str, Any]:
    budget = standing.budget
    return {
        "id": str(budget.id),
        "period": budget.period,
        "limit": money(budget.limit_usd),
        "policy": budget.policy,
        "starts_at": standing.starts_at,
        "ends_at": standing.ends_at,
        "spent": money(standing.spent_usd),
        "reserved": money(standing.reserved_usd),
        "remaining": money(standing.remaining_usd),
        "percent": standing.percent,
        "alerts": list(standing.alerts),
        "created_at": budget.created_at,
        "changed_at": budget.changed_at,
    }


def costs_data(overview: CostOverview, hints: Sequence[Hint]) -> dict[str, Any]:
    return {
        "starts_at": overview.starts_at,
        "ends_at": overview.ends_at,
        "total": money(overview.total_usd),
        "categories": [
            {"category": c.category, "cost": money(c.amount_usd), "entries": c.entries, "estimated": c.estimated}
            for c in overview.categories
        ],
        "models": [
            {
                "provider": m.provider,
                "model": m.model,
                "calls": m.calls,
                "input_tokens": m.input_tokens,
                "cached_tokens": m.cached_tokens,
                "output_tokens": m.output_tokens,
                "cost": money(m.amount_usd),
            }
            for m in overview.models
        ],
        "days": [{"day": d.day, "cost": money(d.amount_usd)} for d in overview.days],
        "projection": overview.projection and projection_data(overview.projection),
        "anomalies": [anomaly_data(anomaly) for anomaly in overview.anomalies],
        "hints": [
            {"kind": hint.kind, "title": hint.title, "saving": rough(float(hint.saving_usd)), "basis": hint.basis}
            for hint in hints
        ],
    }


def projection_data(found: Projection) -> dict[str, Any]:
    return {
        "expected": rough(found.expected),
        "low": rough(found.low),
        "high": rough(found.high),
        "level": LEVEL,
        "days_known": found.days_known,
        "days_left": found.days_left,
    }


def anomaly_data(anomaly: SpendAnomaly) -> dict[str, Any]:
    return {
        "found_at": anomaly.found_at,
        "ended_at": anomaly.ended_at,
        "spent": money(usd_of(anomaly.spent_nanos)),
        "expected": rough(float(usd_of(anomaly.expected_nanos))),
    }


def estimate_data(found: Estimate, returned: Return) -> dict[str, Any]:
    shape = found.shape
    return {
        "model": found.model,
        "listed": found.listed,
        "claims": found.claims,
        "prices_of": found.prices_of,
        "call": {
            "text_tokens": round(float(shape.text_tokens), 1),
            "pictures": round(float(shape.pictures), 2),
            "output_tokens": round(float(shape.output_tokens), 1),
            "calls": shape.calls,
        },
        "cost_per_call": money(found.call_usd.quantize(Decimal("1e-9"))),
        "models": rough(float(found.model_usd)),
        "inference": rough(float(found.inference_usd)),
        "requests": rough(float(found.requests_usd)),
        "total": rough(float(found.total_usd)),
        "manual": money(returned.manual_usd),
        "saved": rough(float(returned.saved_usd)),
    }
