"""Intervals of differences and ratios of shares, made of the shares' own score intervals. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

ALPHA = 0.05


@dataclass(frozen=True)
class Interval:
    """A figure and what it may be instead."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Share:
    """So many of so many; the count is above zero."""

    hits: int
    count: int

    @property
    def value(self) -> float:
        return self.hits / self.count

    def bounds(self, alpha: float = ALPHA) -> tuple[float, float]:
        """Return Wilson's interval."""
        z = NormalDist().inv_cdf(1 - alpha / 2)
        centre = self.value + z * z / (2 * self.count)
        reach = z * math.sqrt(self.value * (1 - self.value) / self.count + z * z / (4 * self.count**2))
        scale = 1 + z * z / self.count
        return max((centre - reach) / scale, 0.0), min((centre + reach) / scale, 1.0)


def difference(first: Share, second: Share, *, alpha: float = ALPHA) -> Interval:
    """Return `first - second` with Newcombe's interval (1998, method 10)."""
    low1, high1 = first.bounds(alpha)
    low2, high2 = second.bounds(alpha)
    gap = first.value - second.value
    down = math.hypot(first.value - low1, high2 - second.value)
    up = math.hypot(high1 - first.value, second.value - low2)
    return Interval(gap, gap - down, gap + up)


def ratio(first: Share, second: Share, *, alpha: float = ALPHA) -> Interval | None:
    """Return `first / second` with the interval of Donner and Zou (2012) from Wilson's limits; None over nothing."""
    if second.hits == 0:
        return None
    low1, high1 = first.bounds(alpha)
    low2, high2 = second.bounds(alpha)
    one, two = first.value, second.value
    low = _limit(one * two, low1 * high2 * (2 * one - low1) * (2 * two - high2), high2 * (2 * two - high2), sign=-1)
    high = _limit(one * two, high1 * low2 * (2 * one - high1) * (2 * two - low2), low2 * (2 * two - low2), sign=1)
    return Interval(one / two, max(low, 0.0), high)


def _limit(product: float, inner: float, divisor: float, *, sign: int) -> float:
    if divisor <= 0:
        return 0.0 if sign < 0 else math.inf
    return (product + sign * math.sqrt(max(product * product - inner, 0.0))) / divisor
