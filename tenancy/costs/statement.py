"""The monthly statement: every category and model with what it came to, to the cent, on a page and as CSV.

Cents are shared out by the largest remainder, so that the lines add up to the total as it is rounded.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from django.db.models import Count, Sum

from tenancy.choices import CostCategory, SpendSpan
from tenancy.costs.counters import NANOS_OF_RECORD
from tenancy.costs.overview import records_between
from tenancy.costs.spans import end_of, usd_of

CENT = Decimal("0.01")
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
HEADINGS = ("category", "provider", "model", "entries", "quantity", "unit", "input_tokens", "cached_tokens",
            "output_tokens", "amount_usd", "amount_cents_usd", "estimated", "prices_of")  # fmt: skip


@dataclass(frozen=True)
class StatementLine:
    """`amount_usd` is exact; `cents_usd` is what stands on the bill."""

    category: CostCategory
    provider: str
    model: str
    entries: int
    quantity: Decimal | None
    unit: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    amount_usd: Decimal
    cents_usd: Decimal
    estimated: bool
    prices_of: str


@dataclass(frozen=True)
class Statement:
    starts_at: datetime
    ends_at: datetime
    lines: Sequence[StatementLine]
    total_usd: Decimal
    cents_usd: Decimal
    final: bool


def statement_of(*, month: datetime, now: datetime) -> Statement:
    """Return the statement of a month of the tenant in scope; `final` once the month's last day is booked."""
    end = end_of(SpendSpan.MONTH, month)
    records = records_between(month, end)
    rows = list(
        records.values("category", "provider", "model", "unit", "estimated", "prices_of")
        .annotate(
            entries=Count("id"),
            nanos=Sum(NANOS_OF_RECORD),
            amount=Sum("quantity"),
            told=Sum("input_tokens"),
            cached=Sum("cached_tokens"),
            answered=Sum("output_tokens"),
        )
        .order_by("category", "provider", "model", "unit", "estimated", "prices_of")
    )
    amounts = [usd_of(row["nanos"]) for row in rows]
    lines = [
        StatementLine(
            CostCategory(row["category"]),
            row["provider"],
            row["model"],
            row["entries"],
            row["amount"],
            row["unit"],
            row["told"],
            row["cached"],
            row["answered"],
            amount,
            cents,
            row["estimated"],
            row["prices_of"],
        )
        for row, amount, cents in zip(rows, amounts, shared_cents(amounts), strict=True)
    ]
    total = sum(amounts, Decimal(0))
    return Statement(month, end, lines, total, in_cents(total), final=now >= end and _last_day_booked(month, end))


def in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def shared_cents(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Return the amounts in whole cents that add up to their rounded sum."""
    floors = [amount.quantize(CENT, rounding=ROUND_DOWN) for amount in amounts]
    missing = int((in_cents(sum(amounts, Decimal(0))) - sum(floors, Decimal(0))) / CENT)
    by_rest = sorted(range(len(amounts)), key=lambda n: (floors[n] - amounts[n], n))
    for place in by_rest[:missing]:
        floors[place] += CENT
    return floors


def statement_csv(statement: Statement) -> str:
    """Return the statement as CSV (RFC 4180) with a line of totals; no cell can act as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for line in statement.lines:
        cells = (line.category, line.provider, line.model, line.entries, _plain(line.quantity), line.unit,
                 line.input_tokens, line.cached_tokens, line.output_tokens, _plain(line.amount_usd), line.cents_usd,
                 "yes" if line.estimated else "no", line.prices_of)  # fmt: skip
        writer.writerow([harmless(str(cell)) for cell in cells])
    rest = [""] * 8
    writer.writerow(["TOTAL", *rest, _plain(statement.total_usd), statement.cents_usd, "", ""])
    return out.getvalue()


def harmless(cell: str) -> str:
    """Return the cell so that no spreadsheet calculates it: a quote before what looks like a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _plain(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount.normalize():f}"


def _last_day_booked(start: datetime, end: datetime) -> bool:
    """Whether the month's last day has its entries."""
    return records_between(start, end).filter(day=end.date() - timedelta(days=1)).exists()
