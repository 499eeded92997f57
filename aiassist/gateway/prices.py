"""What models cost. US dollars per million tokens, list prices without discounts for batches or cached prompts.

Sources, as published in November 2026: developers.openai.com/api/docs/pricing (standard tier) and
platform.claude.com/docs/en/about-claude/pricing (base input). An operator checks them before a budget depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Final

PRICES_OF: Final = "2026-11"
_MILLION = Decimal(1_000_000)
_EXACT = Decimal("1e-9")  # what the ledger stores
# gpt-4o-mini-2024-07-18, claude-haiku-4-5-20251001: a dated name costs what its undated one does.
_DATE = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$", re.ASCII)


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input_usd: Decimal
    output_usd: Decimal


def _price(input_usd: str, output_usd: str) -> Price:
    return Price(Decimal(input_usd), Decimal(output_usd))


PRICES: Final[Mapping[str, Price]] = {
    "gpt-4o-mini": _price("0.15", "0.60"),
    "gpt-4o": _price("2.50", "10.00"),
    "gpt-4.1-nano": _price("0.10", "0.40"),
    "gpt-4.1-mini": _price("0.40", "1.60"),
    "gpt-4.1": _price("2.00", "8.00"),
    "gpt-5-nano": _price("0.05", "0.40"),
    "gpt-5-mini": _price("0.25", "2.00"),
    "gpt-5": _price("1.25", "10.00"),
    "gpt-5.5-pro": _price("30.00", "180.00"),
    "claude-haiku-4-5": _price("1.00", "5.00"),
    "claude-haiku-5-5": _price("0.10", "0.50"),  # up to 100,000 tokens of prompt; ours has about a fifth of that
    "claude-sonnet-4-5": _price("3.00", "15.00"),
    "claude-sonnet-4-6": _price("3.00", "15.00"),
    "claude-sonnet-5": _price("2.00", "10.00"),
    "claude-sonnet-5-5": _price("2.00", "10.00"),
    "claude-opus-4-5": _price("5.00", "25.00"),
    "claude-opus-5": _price("5.00", "25.00"),
}
HIGHEST: Final = Price(
    max(price.input_usd for price in PRICES.values()), max(price.output_usd for price in PRICES.values())
)


def price_of(model: str) -> Price:
    """Return the model's price; one that is not listed costs the highest price, never nothing."""
    return PRICES.get(_DATE.sub("", model), HIGHEST)


def cost_usd(model: str, *, input_tokens: int, output_tokens: int) -> Decimal:
    """Return what a call costs, rounded up to a billionth of a dollar."""
    price = price_of(model)
    exact = (price.input_usd * input_tokens + price.output_usd * output_tokens) / _MILLION
    return exact.quantize(_EXACT, rounding=ROUND_UP)
