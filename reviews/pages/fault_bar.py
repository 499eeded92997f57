"""The suggested share of fault as a bar: a point and the interval around it."""

from __future__ import annotations

from dataclasses import dataclass

from claims.models import Assessment
from claims.words import percent_words


@dataclass(frozen=True)
class FaultBar:
    """Percentages in words. `is_open` when nothing was ruled out: then the point in the middle says nothing."""

    share: str
    low: str
    high: str
    width: str
    is_open: bool


def fault_bar(assessment: Assessment) -> FaultBar:
    """Return the bar of an assessment."""
    low, high = round(assessment.fault_low_pct), round(assessment.fault_high_pct)
    return FaultBar(
        share=percent_words(round(assessment.suggested_fault_pct)),
        low=percent_words(low),
        high=percent_words(high),
        width=percent_words(high - low),
        is_open=low <= 0 and high >= 100,
    )
