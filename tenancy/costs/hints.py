"""Where money could be saved, computed from the month's ledger: each hint with its figure and how it came about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.db.models import Count, Min, QuerySet, Sum

from tenancy.costs.calculator import FEWEST_CALLS, CallShape, call_usd, mean_shape
from tenancy.costs.counters import NANOS_OF_RECORD
from tenancy.costs.overview import ModelCost, model_costs
from tenancy.costs.prices import (
    PICTURE_HEIGHT,
    PICTURE_WIDTH,
    PRICES,
    FixedTokens,
    listed_name,
    picture_tokens,
    price_of,
)
from tenancy.costs.spans import usd_of
from tenancy.models import CostRecord

_MILLION = Decimal(1_000_000)
# Less than this a month is not worth a line.
_LEAST_USD = Decimal("0.01")


class HintKind(StrEnum):
    CHEAPER_MODEL = "CHEAPER_MODEL"
    REPEATED_QUESTIONS = "REPEATED_QUESTIONS"
    CACHED_INPUT = "CACHED_INPUT"
    PICTURES = "PICTURES"


@dataclass(frozen=True)
class Hint:
    """`saving_usd` is of the looked-at time; `basis` says how it was computed."""

    kind: HintKind
    title: str
    saving_usd: Decimal
    basis: str


def hints_of(records: QuerySet[CostRecord]) -> list[Hint]:
    """Return what the records of the tenant in scope suggest, the greatest saving first."""
    costs = [c for c in model_costs(records) if listed_name(c.model) in PRICES and c.calls >= FEWEST_CALLS]
    found = [*_cheaper(costs), *_repeated(records), *_cached(records, costs), *_pictures(costs)]
    return sorted((hint for hint in found if hint.saving_usd >= _LEAST_USD), key=lambda hint: -hint.saving_usd)


def _cheaper(costs: Sequence[ModelCost]) -> Iterator[Hint]:
    for cost in costs:
        shape, own = mean_shape([cost]), listed_name(cost.model)
        others = [n for n, price in PRICES.items() if price.grade == price_of(own).grade and n != own]
        best = min(others, key=lambda name: call_usd(name, shape), default=None)
        if best is None:
            continue
        saving = cost.amount_usd - call_usd(best, shape) * cost.calls
        yield Hint(
            HintKind.CHEAPER_MODEL,
            f"{best} in place of {own}",
            saving,
            f"{cost.calls:,} calls, each with about {_shape_words(shape)}, cost {_usd(cost.amount_usd)} together; the "
            f"same at the list price of {best}, of the same grade, {_usd(cost.amount_usd - saving)}. A price says "
            "nothing about how well a model sees: try it on labelled claims first.",
        )


def _repeated(records: QuerySet[CostRecord]) -> Iterator[Hint]:
    """Calls about a claim beyond its first by the same model: retries after useless answers, and asking again."""
    groups = records.filter(day=None).exclude(reference="").values("reference", "provider", "model")
    rows = groups.annotate(calls=Count("id"), nanos=Sum(NANOS_OF_RECORD)).filter(calls__gt=1)
    beyond, saving = 0, Decimal(0)
    for row in rows:
        beyond += row["calls"] - 1
        saving += usd_of(row["nanos"]) * (row["calls"] - 1) / row["calls"]
    if beyond:
        yield Hint(
            HintKind.REPEATED_QUESTIONS,
            "Claims that a model was asked about more than once",
            saving,
            f"{beyond:,} calls went beyond the first of their claim and model, at their claims' mean price. Answers "
            "are kept for a day (AI_ANSWER_TTL) and serve the same question again; useless answers and reassessments "
            "after that are paid anew.",
        )


def _cached(records: QuerySet[CostRecord], costs: Sequence[ModelCost]) -> Iterator[Hint]:
    for cost in costs:
        price = price_of(cost.model)
        shared = records.filter(day=None, model=cost.model).aggregate(least=Min("input_tokens"))["least"] or 0
        pictures = picture_tokens(cost.model, pictures=1) * cost.pictures // cost.calls
        common = max(0, shared - pictures)
        saving = (common * cost.calls - cost.cached_tokens) * (price.input_usd - price.cached_usd) / _MILLION
        yield Hint(
            HintKind.CACHED_INPUT,
            f"Cached input of {listed_name(cost.model)}",
            saving,
            f"{cost.cached_tokens:,} of {cost.input_tokens:,} input tokens were billed as cached. The shortest "
            f"question had {common:,} tokens beside its pictures, so at most that many are the same in each of "
            f"{cost.calls:,} calls; cached they cost {price.cached_usd} in place of {price.input_usd} dollars a "
            "million.",
        )


def _pictures(costs: Sequence[ModelCost]) -> Iterator[Hint]:
    for cost in costs:
        price = price_of(cost.model)
        if not cost.pictures:
            continue
        now = picture_tokens(cost.model, pictures=cost.pictures)
        if isinstance(price.picture, FixedTokens):
            saved, what = now // 2, "half as many pictures"
            rule = f"a picture of any size is {price.picture.tokens:,} tokens"
        else:
            half = picture_tokens(
                cost.model, pictures=cost.pictures, width=PICTURE_WIDTH // 2, height=PICTURE_HEIGHT // 2
            )
            saved, what = now - half, f"pictures of {PICTURE_WIDTH // 2} × {PICTURE_HEIGHT // 2}"
            rule = f"a picture of {PICTURE_WIDTH} × {PICTURE_HEIGHT} is {now // cost.pictures:,} tokens"
        share = min(100, 100 * now // max(1, cost.input_tokens))
        yield Hint(
            HintKind.PICTURES,
            f"{listed_name(cost.model)} with {what}",
            saved * price.input_usd / _MILLION,
            f"By its maker's rule {rule}: {cost.pictures:,} pictures are {now:,} tokens, {share} % of the input. "
            f"With {what} it is {saved:,} tokens less. Fewer or smaller pictures show less: try it on labelled claims.",
        )


def _shape_words(shape: CallShape) -> str:
    text, pictures, output = (round(n) for n in (shape.text_tokens, shape.pictures, shape.output_tokens))
    return f"{text:,} tokens of text, {pictures:,} pictures and {output:,} tokens of answer"


def _usd(amount: Decimal) -> str:
    return f"{amount:,.2f} dollars"
