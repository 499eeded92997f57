"""What so many claims a month would cost on a model, what another model would have cost, and what people would have:
pure rules over prices and the tenant's own means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from tenancy.costs.overview import ModelCost
from tenancy.costs.prices import (
    API_CALL_USD,
    INFERENCE_USD,
    PICTURE_HEIGHT,
    PICTURE_WIDTH,
    PRICES,
    PRICES_OF,
    listed_name,
    picture_tokens,
    price_of,
)

# Where a tenant has no calls of its own: instructions, schema and measurements of a clip (3,000 tokens of text), twelve
# pictures, and an answer of twelve statements; one call a claim, four requests of the API.
ASSUMED_TEXT_TOKENS: Final = 3_000
ASSUMED_PICTURES: Final = 12
ASSUMED_OUTPUT_TOKENS: Final = 400
REQUESTS_PER_CLAIM: Final = 4
# Means of fewer calls than this are a matter of luck.
FEWEST_CALLS: Final = 20
# The tenant's own means are those of its last thirty days.
MEANS_OF: Final = timedelta(days=30)
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class CallShape:
    """What a call has on average; `calls` is how many the mean is of, 0 for the stated assumptions."""

    text_tokens: Decimal
    pictures: Decimal
    output_tokens: Decimal
    calls: int

    @property
    def assumed(self) -> bool:
        return self.calls == 0


ASSUMED = CallShape(Decimal(ASSUMED_TEXT_TOKENS), Decimal(ASSUMED_PICTURES), Decimal(ASSUMED_OUTPUT_TOKENS), 0)


@dataclass(frozen=True)
class Estimate:
    """US dollars a month."""

    model: str
    listed: bool
    claims: int
    shape: CallShape
    call_usd: Decimal
    model_usd: Decimal
    inference_usd: Decimal
    requests_usd: Decimal
    prices_of: str = PRICES_OF

    @property
    def total_usd(self) -> Decimal:
        return self.model_usd + self.inference_usd + self.requests_usd


@dataclass(frozen=True)
class Return:
    """What people would have cost for the same claims, and what is left of it; `ratio` None where nothing was spent."""

    claims: int
    minutes: Decimal
    wage_usd: Decimal
    spent_usd: Decimal

    @property
    def manual_usd(self) -> Decimal:
        """Claims × minutes / 60 × wage an hour."""
        return (self.claims * self.minutes / 60 * self.wage_usd).quantize(_CENT, rounding=ROUND_HALF_UP)

    @property
    def saved_usd(self) -> Decimal:
        return self.manual_usd - self.spent_usd

    @property
    def ratio(self) -> Decimal | None:
        if not self.spent_usd:
            return None
        return (self.saved_usd / self.spent_usd).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


def mean_shape(costs: Sequence[ModelCost]) -> CallShape:
    """Return the mean call of the tenant's own, the stated assumptions below twenty calls.

    Tokens of pictures are told apart by the makers' rules at the size that is sent, since providers tell one sum.
    """
    listed = [cost for cost in costs if listed_name(cost.model) in PRICES]
    calls = sum(cost.calls for cost in listed)
    if calls < FEWEST_CALLS:
        return ASSUMED
    text = sum(max(0, c.input_tokens - picture_tokens(c.model, pictures=c.pictures)) for c in listed)
    return CallShape(
        Decimal(text) / calls,
        Decimal(sum(cost.pictures for cost in listed)) / calls,
        Decimal(sum(cost.output_tokens for cost in listed)) / calls,
        calls,
    )


def call_usd(model: str, shape: CallShape) -> Decimal:
    """Return what a call of the shape costs on the model at list prices, nothing cached."""
    price = price_of(model)
    pictures = shape.pictures * price.picture.of(PICTURE_WIDTH, PICTURE_HEIGHT)
    return (price.input_usd * (shape.text_tokens + pictures) + price.output_usd * shape.output_tokens) / 1_000_000


def estimate(*, model: str, claims: int, shape: CallShape) -> Estimate:
    """Return what so many claims a month cost on the model: its calls, the platform's own models, and requests."""
    each = call_usd(model, shape)
    return Estimate(
        model=model,
        listed=listed_name(model) in PRICES,
        claims=claims,
        shape=shape,
        call_usd=each,
        model_usd=each * claims,
        inference_usd=INFERENCE_USD * claims,
        requests_usd=API_CALL_USD * REQUESTS_PER_CLAIM * claims,
    )
