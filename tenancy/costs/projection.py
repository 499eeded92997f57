"""What a month will have cost at its end: what is spent, plus the days that are left, with a 90 % interval. Pure.

A day that is left costs what such days (working days, or the others) cost in the last six weeks. The interval is
Student's for a sum of such days, each with its own chance and all with the error of the mean they share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Fewer whole days than this tell nothing about the rest of a month.
FEWEST_DAYS: Final = 7
LEVEL: Final = 0.9
_SATURDAY = 5
# Student's t at 95 % (two-sided 90 %) by degrees of freedom.
_T: Final = ((1, 6.314), (2, 2.920), (3, 2.353), (4, 2.132), (5, 2.015), (6, 1.943), (8, 1.860), (10, 1.812),
             (15, 1.753), (20, 1.725), (30, 1.697), (60, 1.671), (120, 1.658))  # fmt: skip


@dataclass(frozen=True)
class Projection:
    """US dollars at the month's end; between `low` and `high` in nine months of ten."""

    expected: float
    low: float
    high: float
    days_known: int
    days_left: int


def project_month(
    *,
    spent: float,
    past: NDArray[np.float64],
    past_weekdays: NDArray[np.int_],
    left_weekdays: NDArray[np.int_],
) -> Projection | None:
    """Return the projection; `spent` is what this month's whole days cost, `past` whole days before today (this
    month's among them), `left_weekdays` the weekdays of the days that are left, today included (Monday is 0).

    None with fewer than seven past days.
    """
    if len(past) < FEWEST_DAYS:
        return None
    expected, variance, freedom = 0.0, 0.0, 0
    for free in (False, True):
        left = int(((left_weekdays >= _SATURDAY) == free).sum())
        days = past[(past_weekdays >= _SATURDAY) == free]
        if not left:
            continue
        if len(days) < 2:  # a tenant of one week: its few days speak for all
            days = past
        mean, spread = float(days.mean()), float(days.var(ddof=1))
        expected += left * mean
        variance += left * spread + left**2 * spread / len(days)
        freedom += len(days) - 1
    reach = _student(max(freedom, 1)) * math.sqrt(variance)
    low = max(spent, spent + expected - reach)
    return Projection(spent + expected, low, spent + expected + reach, len(past), len(left_weekdays))


def _student(freedom: int) -> float:
    """Return the t of the greatest listed freedom that is not above: never too small."""
    return [value for known, value in _T if known <= freedom][-1]
