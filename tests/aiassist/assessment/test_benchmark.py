"""The benchmark says of every floor whether it holds; coverage is judged by what so few clips can tell."""

from __future__ import annotations

from benchmarks.assessment import AT_LEAST, AT_MOST, covers, holds


def figures(**changes: object) -> dict[str, object]:
    return {**AT_LEAST, **AT_MOST, "coverage_by_class": {"NONE": [27, 30]}, **changes}


def test_holds_names_every_floor_and_what_was_not_measured_does_not_hold() -> None:
    kept = holds(figures())
    assert set(kept) == {*AT_LEAST, *AT_MOST, "coverage_NONE"}
    assert all(kept.values())
    assert not holds(figures(impact_recall=None))["impact_recall"]
    assert not holds(figures(mean_set_size=1.61))["mean_set_size"]


def test_covers_allows_three_standard_errors() -> None:
    assert covers(23, 30)
    assert not covers(22, 30)
    assert not covers(240, 300)
