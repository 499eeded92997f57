"""Two hundred made-up secrets: 25 bundles of eight kinds, the same in every process."""

from __future__ import annotations

import random
import string
from dataclasses import astuple, dataclass

BUNDLES = 25
_FIRST = ("Wilhelmina", "Bartholomew", "Philippa", "Cornelius", "Henrietta")
_LAST = ("Featherstone", "Ravensworth", "Hollingbury", "Thistlewood", "Quillfeather")


@dataclass(frozen=True)
class Bundle:
    """What one failure knows of one person. All but the last two have a shape that the masker knows."""

    email: str
    phone: str
    ssn: str
    card: str
    address: str
    api_key: str
    name: str
    word: str

    @property
    def shaped(self) -> tuple[str, ...]:
        return astuple(self)[:6]


def bundle(number: int) -> Bundle:
    """Return the bundle of this number, 0 to 24."""
    draw = random.Random(7_000 + number)
    name = f"{_FIRST[number % 5]} {_LAST[number // 5]}"
    phones = (
        f"+44 20 7946 {draw.randint(1000, 9999)}",
        f"212-555-{draw.randint(1000, 9999)}",
        f"(415) 555-{draw.randint(1000, 9999)}",
    )
    letters = "".join(draw.choices(string.ascii_letters + string.digits, k=43))
    return Bundle(
        email=f"{name.lower().replace(' ', '.')}.{number}@example.org",
        phone=phones[number % 3],
        ssn=f"{draw.randint(100, 665)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}",
        card=_card(draw),
        address=f"198.51.100.{number + 1}" if number % 2 else f"2001:db8::{number + 0x1A0:x}",
        api_key=f"clm_live_{letters}" if number % 2 else f"sk-{letters}",
        name=name,
        word=f"canary{draw.randrange(16**12):012x}",
    )


def all_secrets() -> list[str]:
    return [value for number in range(BUNDLES) for value in astuple(bundle(number))]


def _card(draw: random.Random) -> str:
    """Return a Visa number whose check digit is right, in groups of four."""
    digits = "4" + "".join(draw.choices(string.digits, k=14))
    total = sum(sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(digits))
    digits += str(-total % 10)
    return " ".join(digits[start : start + 4] for start in range(0, 16, 4))
