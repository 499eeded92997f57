"""What things cost, in US dollars: models per million tokens, and the platform's own categories.

Models: list prices without discounts for batches, November 2026. The makers publish them at
developers.openai.com/api/docs/pricing (standard tier) and platform.claude.com/docs/en/about-claude/pricing (base
input), but prices of cached input, and some others, were taken from third-party listings and not compared with those
pages; where no listing had a cached price, the full one stands. Tokens of a picture:
developers.openai.com/api/docs/guides/images-vision (detail "low", which is what is sent) and
platform.claude.com/docs/en/build-with-claude/vision (width × height / 750).
An operator checks them before a budget depends on them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from enum import StrEnum
from typing import Final

PRICES_OF: Final = "2026-11"
_MILLION = Decimal(1_000_000)
_EXACT = Decimal("1e-9")  # what the ledger stores
# gpt-4o-mini-2024-07-18, claude-haiku-4-5-20251001: a dated name costs what its undated one does.
_DATE = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$", re.ASCII)

# The platform's own categories (FEATURES A9, set by the platform and not by a maker's list).
API_CALL_USD: Final = Decimal("0.0001")
INFERENCE_USD: Final = Decimal("0.001")
STORAGE_USD_PER_GB_MONTH: Final = Decimal("0.023")
DATABASE_USD_PER_GB_MONTH: Final = Decimal("0.015")

# Keyframes are at most so wide, and as high as the video's shape makes them; most videos are 16:9.
PICTURE_WIDTH, PICTURE_HEIGHT, TALLEST_PICTURE = 640, 360, 1280


class Vendor(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Grade(StrEnum):
    """The makers' own classes: nano, mini, haiku; gpt, sonnet; opus, pro."""

    SMALL = "SMALL"
    MIDDLE = "MIDDLE"
    LARGE = "LARGE"


@dataclass(frozen=True)
class FixedTokens:
    """A picture of any size is so many tokens."""

    tokens: int

    def of(self, width: int, height: int) -> int:
        return self.tokens


@dataclass(frozen=True)
class PatchTokens:
    """A picture is cut into squares of 32 pixels, at most 1,536 of them."""

    factor: Decimal

    def of(self, width: int, height: int) -> int:
        patches = min(math.ceil(width / 32) * math.ceil(height / 32), 1536)
        return math.ceil(patches * self.factor)


@dataclass(frozen=True)
class AreaTokens:
    """A picture is a token for every so many pixels."""

    pixels: int = 750

    def of(self, width: int, height: int) -> int:
        return math.ceil(width * height / self.pixels)


PictureRule = FixedTokens | PatchTokens | AreaTokens


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens; `cached_usd` for input that the provider had cached."""

    input_usd: Decimal
    output_usd: Decimal
    cached_usd: Decimal
    picture: PictureRule
    grade: Grade
    vendor: Vendor

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Decimal:
        """Return what a call costs, rounded up to a billionth of a dollar; `cached_tokens` are part of the input."""
        cached = min(cached_tokens, input_tokens)
        fresh = self.input_usd * (input_tokens - cached) + self.cached_usd * cached
        return ((fresh + self.output_usd * output_tokens) / _MILLION).quantize(_EXACT, rounding=ROUND_UP)


_LOW, _LOW_5, _LOW_4O_MINI = FixedTokens(85), FixedTokens(70), FixedTokens(2833)
_MINI, _NANO = PatchTokens(Decimal("1.62")), PatchTokens(Decimal("2.46"))
_AREA = AreaTokens()


def _openai(given: str, grade: Grade, picture: PictureRule) -> Price:
    usd = [Decimal(word) for word in given.split()]
    return Price(usd[0], usd[2], usd[1], picture, grade, Vendor.OPENAI)


def _anthropic(given: str, grade: Grade) -> Price:
    """A model without a listed cache price pays for cached input as for any other: never too little."""
    usd = [Decimal(word) for word in given.split()]
    return Price(usd[0], usd[-1], usd[1] if len(usd) == 3 else usd[0], _AREA, grade, Vendor.ANTHROPIC)


# input, cached input, output
PRICES: Final[Mapping[str, Price]] = {
    "gpt-4o-mini": _openai("0.15 0.075 0.60", Grade.SMALL, _LOW_4O_MINI),
    "gpt-4o": _openai("2.50 1.25 10.00", Grade.MIDDLE, _LOW),
    "gpt-4.1-nano": _openai("0.10 0.025 0.40", Grade.SMALL, _NANO),
    "gpt-4.1-mini": _openai("0.40 0.10 1.60", Grade.SMALL, _MINI),
    "gpt-4.1": _openai("2.00 0.50 8.00", Grade.MIDDLE, _LOW),
    "gpt-5-nano": _openai("0.05 0.005 0.40", Grade.SMALL, _NANO),
    "gpt-5-mini": _openai("0.25 0.025 2.00", Grade.SMALL, _MINI),
    "gpt-5": _openai("1.25 0.125 10.00", Grade.MIDDLE, _LOW_5),
    "gpt-5.5-pro": _openai("30.00 30.00 180.00", Grade.LARGE, _LOW_5),  # no price for cached input
    "claude-haiku-4-5": _anthropic("1.00 0.10 5.00", Grade.SMALL),
    "claude-haiku-5-5": _anthropic("0.10 0.50", Grade.SMALL),  # up to 100,000 tokens; ours have about a fifth of that
    "claude-sonnet-4-5": _anthropic("3.00 0.30 15.00", Grade.MIDDLE),
    "claude-sonnet-4-6": _anthropic("3.00 15.00", Grade.MIDDLE),
    "claude-sonnet-5": _anthropic("2.00 10.00", Grade.MIDDLE),
    "claude-sonnet-5-5": _anthropic("2.00 10.00", Grade.MIDDLE),
    "claude-opus-4-5": _anthropic("5.00 0.50 25.00", Grade.LARGE),
    "claude-opus-5": _anthropic("5.00 25.00", Grade.LARGE),
}
_ALL = tuple(PRICES.values())
_MOST_INPUT = max(price.input_usd for price in _ALL)
HIGHEST: Final = Price(
    _MOST_INPUT, max(price.output_usd for price in _ALL), _MOST_INPUT, _LOW_4O_MINI, Grade.LARGE, Vendor.OPENAI
)


def listed_name(model: str) -> str:
    """Return the name under which the model is listed; a name that is not listed stays as it is."""
    plain = _DATE.sub("", model)
    return plain if plain in PRICES else model


def price_of(model: str) -> Price:
    """Return the model's price; one that is not listed costs the highest price, never nothing."""
    return PRICES.get(listed_name(model), HIGHEST)


def cost_usd(model: str, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Decimal:
    """Return what a call costs, rounded up to a billionth of a dollar."""
    return price_of(model).cost(input_tokens=input_tokens, output_tokens=output_tokens, cached_tokens=cached_tokens)


def picture_tokens(model: str, *, pictures: int, width: int = PICTURE_WIDTH, height: int = PICTURE_HEIGHT) -> int:
    """Return how many of the input tokens the model's maker counts for so many pictures of a size."""
    return pictures * price_of(model).picture.of(width, height)
