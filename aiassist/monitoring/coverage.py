"""How often the AI's set of severities really held what a blind person saw, with intervals. Pure.

A case counts with 1 / (the probability with which it was drawn); intervals are Wilson's on the effective number of
cases (Kish), so that a changed share makes them wider and not wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from aiassist.assessment.conformal import COVERAGE_TARGET
from aiassist.types import Severity

# Fewer labels than this give an interval of some ± 11 points: no ground for praise or alarm.
FEWEST_LABELS = 30
_Z = 1.959964  # 95 %


class CoverageState(StrEnum):
    """What the labels allow to say about the promise."""

    NOT_ENOUGH_LABELS = "NOT_ENOUGH_LABELS"
    ON_TARGET = "ON_TARGET"
    UNSURE = "UNSURE"  # below the target, and it may be chance
    BELOW_TARGET = "BELOW_TARGET"  # and it is hardly chance: the alarm


@dataclass(frozen=True)
class ShownSet:
    """One audited set: what it held, what the person said, how it was drawn, and when it was labelled."""

    labels: tuple[str, ...]
    true_label: Severity
    inclusion_probability: float
    labelled_at: datetime

    @property
    def covered(self) -> bool:
        return self.true_label in self.labels


@dataclass(frozen=True)
class Coverage:
    """The live coverage of a group of sets; figures are None without labels."""

    count: int
    share: float | None
    low: float | None
    high: float | None
    mean_set_size: float | None
    target: float

    @property
    def state(self) -> CoverageState:
        if self.count < FEWEST_LABELS or self.share is None or self.high is None:
            return CoverageState.NOT_ENOUGH_LABELS
        if self.high < self.target:
            return CoverageState.BELOW_TARGET
        return CoverageState.ON_TARGET if self.share >= self.target else CoverageState.UNSURE


@dataclass(frozen=True)
class CoverageReport:
    """Coverage of all audited sets, of each class, and month by month (``YYYY-MM``, oldest first)."""

    overall: Coverage
    classes: dict[Severity, Coverage]
    months: dict[str, Coverage]

    @property
    def alarm(self) -> bool:
        """Whether the promise is broken somewhere, beyond chance."""
        return CoverageState.BELOW_TARGET in {self.overall.state, *(found.state for found in self.classes.values())}


def coverage_report(sets: Sequence[ShownSet], *, target: float = COVERAGE_TARGET) -> CoverageReport:
    """Return the report on sets in the order of their labels."""
    by_class = _grouped(sets, lambda shown: shown.true_label)
    by_month = _grouped(sets, lambda shown: f"{shown.labelled_at:%Y-%m}")
    return CoverageReport(
        overall=coverage_of(sets, target=target),
        classes={label: coverage_of(by_class.get(label, []), target=target) for label in Severity},
        months={month: coverage_of(found, target=target) for month, found in sorted(by_month.items())},
    )


def coverage_of(sets: Sequence[ShownSet], *, target: float = COVERAGE_TARGET) -> Coverage:
    """Return the weighted share of sets that held the truth, with its interval."""
    if not sets:
        return Coverage(0, None, None, None, None, target)
    weights = [1.0 / shown.inclusion_probability for shown in sets]
    total = sum(weights)
    share = sum(w for w, shown in zip(weights, sets, strict=True) if shown.covered) / total
    size = sum(w * len(shown.labels) for w, shown in zip(weights, sets, strict=True)) / total
    low, high = wilson_interval(share, total**2 / sum(w * w for w in weights))
    return Coverage(len(sets), round(share, 4), round(low, 4), round(high, 4), round(size, 3), target)


def wilson_interval(share: float, count: float) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; `count` may be a fraction (an effective number of cases)."""
    centre = share + _Z**2 / (2 * count)
    reach = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return max((centre - reach) / scale, 0.0), min((centre + reach) / scale, 1.0)


Key = TypeVar("Key")


def _grouped(sets: Iterable[ShownSet], key: Callable[[ShownSet], Key]) -> dict[Key, list[ShownSet]]:
    groups: dict[Key, list[ShownSet]] = {}
    for shown in sets:
        groups.setdefault(key(shown), []).append(shown)
    return groups
