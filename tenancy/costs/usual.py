"""What is usual for a tenant at an hour of a weekday, and from which sum on ten minutes are not. Pure, for many tenants
at once: the benchmark walks a thousand of them through the very functions that watch one.

Robust: of the hours that are compared the dearest tenth is left out, so that yesterday's loop is not today's custom.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[np.float64]

# Six weeks are looked back; with less than one nothing is called unusual.
HISTORY_DAYS: Final = 42
FEWEST_DAYS: Final = 7
WINDOW_MINUTES: Final = 10
_WINDOWS_AN_HOUR = 60 / WINDOW_MINUTES
_LEFT_OUT = 0.1
# Ten minutes are unusual from this many times the usual on, plus room for chance: calls come as they like (a compound
# Poisson stream, whose variance is the mean times about twice what a call costs).
_TIMES: Final = 2.5
_DEVIATIONS: Final = 4.0
_CALLS: Final = 4.0
_SPREAD_OF_CALLS = 2.0
# Less than this in ten minutes wakes nobody.
LEAST_USD: Final = 0.005
_SATURDAY = 5


def usual_hours(hourly: Figures, weekdays: NDArray[np.int_], weekday: int) -> Figures:
    """Return what is usual in each hour of such a weekday, in the unit of `hourly` (tenants × days × 24).

    The greater of two: the same weekday's, and that of all working (or all other) days. An hour goes
    half the way to a greater neighbour, so that summer time and a day that begins early are no surprise.
    """
    of_kind = hourly[:, (weekdays >= _SATURDAY) == (weekday >= _SATURDAY), :]
    of_day = hourly[:, weekdays == weekday, :]
    usual = np.maximum(_trimmed_mean(of_kind), _trimmed_mean(of_day))
    beside = np.maximum(np.roll(usual, 1, axis=1), np.roll(usual, -1, axis=1))
    found: Figures = np.maximum(usual, (usual + beside) / 2)
    return found


def expected_in_window(usual_hour: Figures) -> Figures:
    """Return what is usual in ten minutes of such an hour."""
    return usual_hour / _WINDOWS_AN_HOUR


def window_threshold(expected: Figures, call_usd: Figures) -> Figures:
    """Return from which sum on ten minutes are unusual; `call_usd` is what a call of the tenant costs on average."""
    unit = _SPREAD_OF_CALLS * call_usd
    chance = _DEVIATIONS * np.sqrt(expected * unit) + _CALLS * call_usd
    found: Figures = np.maximum(_TIMES * expected + chance, LEAST_USD)
    return found


def _trimmed_mean(samples: Figures) -> Figures:
    """Return the mean over the days without the greatest tenth (one at least); nothing where there are no days."""
    days = samples.shape[1]
    if days < 2:
        alone: Figures = samples.sum(axis=1)
        return alone
    kept = days - max(1, round(days * _LEFT_OUT))
    found: Figures = np.partition(samples, kept - 1, axis=1)[:, :kept, :].mean(axis=1)
    return found
