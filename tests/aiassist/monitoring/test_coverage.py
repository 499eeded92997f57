"""Live coverage: Wilson's interval, weights, and a verdict only where the labels carry one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aiassist.monitoring.coverage import (
    FEWEST_LABELS,
    CoverageState,
    ShownSet,
    coverage_of,
    coverage_report,
    wilson_interval,
)
from aiassist.monitoring.plots import rows_plot, time_plot
from aiassist.types import Severity

AT = datetime(2026, 3, 2, tzinfo=UTC)


def sets(hits: int, misses: int, *, share: float = 0.05, at: datetime = AT) -> list[ShownSet]:
    hit = ShownSet(("LOW", "MEDIUM"), Severity.LOW, share, at)
    miss = ShownSet(("NONE",), Severity.LOW, share, at)
    return [hit] * hits + [miss] * misses


def test_wilson_interval_equals_published_figures() -> None:
    # Newcombe (1998), table I: 81 of 263 gives 0.2553-0.3662, 15 of 148 gives 0.0624-0.1605, 0 of 20 gives 0-0.1611.
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@pytest.mark.parametrize(
    ("hits", "misses", "state"),
    [
        (0, 0, CoverageState.NOT_ENOUGH_LABELS),
        (FEWEST_LABELS - 1, 0, CoverageState.NOT_ENOUGH_LABELS),
        (10, 19, CoverageState.NOT_ENOUGH_LABELS),
        (FEWEST_LABELS, 0, CoverageState.ON_TARGET),
        (90, 10, CoverageState.ON_TARGET),
        (88, 12, CoverageState.UNSURE),
        (80, 20, CoverageState.BELOW_TARGET),
    ],
)
def test_a_verdict_is_given_only_where_labels_carry_it(hits: int, misses: int, state: CoverageState) -> None:
    assert coverage_of(sets(hits, misses)).state is state


def test_a_label_counts_by_how_rarely_its_claim_was_drawn() -> None:
    mixed = coverage_of([*sets(50, 0, share=0.5), *sets(0, 50, share=0.05)])
    even = coverage_of([*sets(50, 0), *sets(0, 50)])
    assert mixed.share == pytest.approx(1 / 11, abs=1e-3)
    assert even.share == 0.5
    assert mixed.low is not None and mixed.high is not None and even.low is not None and even.high is not None
    sharp = wilson_interval(1 / 11, 100)
    assert mixed.high - mixed.low > sharp[1] - sharp[0], "uneven weights tell less than as many even ones"


def test_one_broken_class_raises_the_alarm_however_well_the_others_do() -> None:
    broken = [ShownSet(("NONE",), Severity.HIGH, 0.05, AT)] * 40
    report = coverage_report([*sets(2_000, 20), *broken])
    assert report.overall.state is CoverageState.ON_TARGET
    assert report.classes[Severity.HIGH].state is CoverageState.BELOW_TARGET
    assert report.alarm
    assert not coverage_report(sets(95, 5)).alarm


def test_months_stand_in_order_and_an_empty_report_says_nothing() -> None:
    later = datetime(2026, 4, 2, tzinfo=UTC)
    report = coverage_report([*sets(30, 2, at=later), *sets(30, 1)])
    assert list(report.months) == ["2026-03", "2026-04"]
    assert report.overall.mean_set_size == pytest.approx(1.952, abs=1e-3)
    empty = coverage_report([])
    assert (empty.overall.share, empty.months, empty.alarm) == (None, {}, False)


def test_drawings_keep_their_marks_inside_the_axis() -> None:
    report = coverage_report([*sets(30, 60), *sets(30, 2, at=datetime(2026, 4, 2, tzinfo=UTC))])
    rows = rows_plot([("All", report.overall), ("None", report.classes[Severity.NONE])])
    drawn, bare = rows.marks
    assert 0 <= float(drawn.low) <= float(drawn.x) <= float(drawn.low) + float(drawn.width) <= 100
    assert (bare.x, bare.words, bare.state) == ("", "no labels", "Not enough labels")
    time = time_plot(report.months)
    assert time is not None and all(0 <= float(point.high_y) <= float(point.low_y) <= 150 for point in time.points)
    assert time_plot({"2026-03": report.overall}) is None
