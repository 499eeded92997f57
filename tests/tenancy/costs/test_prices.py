from __future__ import annotations

from decimal import Decimal

import pytest
from django.conf import settings

from aiassist.gateway.config import DEFAULT_ANTHROPIC_MODEL, DEFAULT_OPENAI_MODEL
from tenancy.costs.prices import HIGHEST, PRICES, cost_usd, price_of


def test_cost_usd_is_exact() -> None:
    assert cost_usd("gpt-4o-mini", input_tokens=1_000_000, output_tokens=0) == Decimal("0.15")
    assert cost_usd("gpt-4o-mini", input_tokens=321, output_tokens=45) == Decimal("0.00007515")
    assert cost_usd("gpt-5-nano", input_tokens=1, output_tokens=0) == Decimal("0.00000005")


@pytest.mark.parametrize("model", ["gpt-4o-mini-2024-07-18", "claude-haiku-4-5-20251001"])
def test_price_of_knows_dated_names(model: str) -> None:
    assert price_of(model) in PRICES.values()
    assert price_of(model) != HIGHEST


@pytest.mark.parametrize("model", ["", "free-model", "gpt-4o-mini; free", "GPT-4O-MINI"])
def test_an_unknown_model_costs_the_highest_price(model: str) -> None:
    assert price_of(model) == HIGHEST
    assert all(
        price.input_usd <= HIGHEST.input_usd and price.output_usd <= HIGHEST.output_usd for price in PRICES.values()
    )
    assert cost_usd(model, input_tokens=1, output_tokens=1) > 0


def test_the_models_of_the_settings_are_listed() -> None:
    for model in (DEFAULT_OPENAI_MODEL, DEFAULT_ANTHROPIC_MODEL, settings.OPENAI_MODEL, settings.ANTHROPIC_MODEL):
        assert model in PRICES
