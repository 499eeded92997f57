"""What a person asks the calculator: read from a query, with stated defaults; nonsense is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from observability.errors import FieldProblem, InvalidInput
from tenancy.costs.prices import PRICES

CALCULATOR_MODELS: Final = tuple(PRICES)
_MOST_CLAIMS = 10_000_000
# Where nothing is asked: the model that is configured when only a key is given, and round numbers to change.
_DEFAULTS: Final[Mapping[str, str]] = {"claims": "1000", "model": "gpt-4o-mini", "minutes": "12", "wage": "38"}
PARAMETERS: Final = tuple(_DEFAULTS)


@dataclass(frozen=True)
class CalculatorInputs:
    """Claims a month, the model, minutes that a person needs for a claim by hand, and US dollars an hour."""

    claims: int
    model: str
    minutes: Decimal
    wage_usd: Decimal


def calculator_inputs(query: Mapping[str, str]) -> CalculatorInputs:
    """Return what is asked; raises InvalidInput naming the parameter."""
    given = {name: (query.get(name) or default).strip() for name, default in _DEFAULTS.items()}
    model = given["model"]
    if not 1 <= len(model) <= 120 or not model.isprintable():
        raise _refused("model", "The name of a model.")
    claims = _number(given["claims"], "claims", most=_MOST_CLAIMS)
    if claims != claims.to_integral_value():
        raise _refused("claims", "A whole number.")
    minutes = _number(given["minutes"], "minutes", most=10_000)
    wage = _number(given["wage"], "wage", most=10_000)
    return CalculatorInputs(int(claims), model, minutes, wage)


def _number(text: str, name: str, *, most: int) -> Decimal:
    try:
        found = Decimal(text) if len(text) <= 20 else Decimal("NaN")
    except InvalidOperation as error:
        raise _refused(name, "A number.") from error
    if not found.is_finite() or not 0 <= found <= most:
        raise _refused(name, f"A number from 0 to {most}.")
    return found


def _refused(name: str, words: str) -> InvalidInput:
    return InvalidInput(problems=[FieldProblem(f"/{name}", "invalid", words)])
