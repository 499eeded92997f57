"""The tests behind the drift monitoring against scipy, Newcombe's tables and counted chance."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from aiassist.monitoring.intervals import Interval, Share, difference, ratio
from aiassist.monitoring.shift import (
    centre_p_values,
    fisher_less,
    holm,
    hypergeometric_tail,
    ks_distances,
    ks_p_values,
    place,
    stability_index,
    total_variation,
    variation_p_values,
)


@pytest.mark.parametrize("rounded", [8, 1, 0])
def test_ks_equals_scipy_with_and_without_ties(rounded: int) -> None:
    source = np.random.default_rng(1)
    reference = source.normal(size=700).round(rounded)
    windows = (source.normal(size=(5, 300)) * 1.2 + 0.1).round(rounded)
    distances = ks_distances(place(reference, windows))
    p_values = ks_p_values(distances, 700, 300)
    for row, distance, p_value in zip(windows, distances, p_values, strict=True):
        known = stats.ks_2samp(row, reference, method="asymp")
        assert distance == pytest.approx(known.statistic, abs=1e-12)
        assert p_value >= known.pvalue - 1e-9, "a bound from above"
        if p_value < 0.05:
            assert p_value == pytest.approx(known.pvalue, rel=0.35)


def test_ks_is_no_smaller_than_the_exact_p_value_where_alarms_are_made() -> None:
    for moved in (110.2, 150.2, 190.2):
        exact = stats.ks_2samp(np.arange(400) * 2.5 + moved, np.arange(1000), method="exact")
        bound = ks_p_values(np.array([exact.statistic]), 1000, 400)[0]
        assert exact.pvalue <= bound


@pytest.mark.parametrize("rounded", [8, 1, 0])
def test_the_rank_sum_equals_scipy_with_and_without_ties(rounded: int) -> None:
    source = np.random.default_rng(2)
    reference = source.normal(size=500).round(rounded)
    windows = (source.normal(size=(4, 200)) + 0.2).round(rounded)
    found = centre_p_values(place(reference, windows))
    for row, p_value in zip(windows, found, strict=True):
        known = stats.mannwhitneyu(row, reference, alternative="two-sided", method="asymptotic")
        assert p_value == pytest.approx(known.pvalue, rel=1e-9)


def test_equal_values_everywhere_are_no_drift() -> None:
    same = np.zeros(200)
    assert ks_distances(place(same, same[None, :]))[0] == 0.0
    assert centre_p_values(place(same, same[None, :]))[0] == 1.0
    assert stability_index(same, same) == pytest.approx(0.0, abs=1e-3)


def test_the_hypergeometric_tail_and_fisher_equal_scipy() -> None:
    for at_least, good, draws, total in ((7, 40, 30, 200), (0, 5, 10, 50), (11, 10, 10, 60), (390, 1300, 400, 1400)):
        found = hypergeometric_tail(*(np.array([float(at_least)]), *(np.array([n]) for n in (good, draws, total))))
        assert found[0] == pytest.approx(stats.hypergeom.sf(at_least - 1, total, good, draws), rel=1e-9, abs=1e-300)
    table = [[300, 100], [850, 150]]
    known = stats.fisher_exact(table, alternative="less").pvalue
    assert fisher_less(300, 400, 850, 1000) == pytest.approx(known, rel=1e-9)


def test_the_variation_bound_holds_against_drawn_lots() -> None:
    """Permutations of one pooled sample: the bound is above the counted share, and not by much where it matters."""
    source = np.random.default_rng(3)
    reference, window = np.array([540, 210, 150, 70, 30]), np.array([180, 100, 70, 35, 15])
    pooled = reference + window
    lots = source.multivariate_hypergeometric(pooled, 400, size=200_000)
    counts = lots / 400 - (pooled - lots) / 1000
    drawn = 0.5 * np.abs(counts).sum(axis=1)
    found = total_variation(reference, window[None, :])[0]
    share = float((drawn >= found - 1e-12).mean())
    bound = variation_p_values(reference, window[None, :])[0]
    assert found == pytest.approx(0.5 * np.abs(reference / 1000 - window / 400).sum())
    assert 0.0 < share <= bound <= 4 * share
    assert variation_p_values(reference, (reference * 2)[None, :])[0] == 1.0


def test_holm_equals_the_written_rule() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    assert holm(np.array([0.6, 0.5])) == pytest.approx([1.0, 1.0])


def test_the_stability_index_follows_its_definition() -> None:
    reference = np.arange(1000.0)
    assert stability_index(reference, reference) == pytest.approx(0.0, abs=1e-9)
    upper = stability_index(reference, reference[500:])
    shares = np.array([0.5 / 505] * 5 + [100.5 / 505] * 5)
    assert upper == pytest.approx(float(((shares - 0.1) * np.log(shares / 0.1)).sum()), rel=0.01)


def test_differences_equal_newcombes_table() -> None:
    # Newcombe (1998, part II), table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10.
    for first, second, known in (
        (Share(56, 70), Share(48, 80), (0.0524, 0.3339)),
        (Share(9, 10), Share(3, 10), (0.1705, 0.8090)),
        (Share(10, 10), Share(0, 10), (0.6075, 1.0)),
    ):
        found = difference(first, second)
        assert (found.low, found.high) == pytest.approx(known, abs=5e-5)


def test_ratios_hold_the_truth_as_often_as_they_say() -> None:
    source = np.random.default_rng(5)
    for one, two, count in ((0.6, 0.75, 60), (0.1, 0.2, 150), (0.95, 0.9, 40)):
        hits = zip(source.binomial(count, one, 3_000), source.binomial(count, two, 3_000), strict=True)
        found = [ratio(Share(int(a), count), Share(int(b), count)) for a, b in hits]
        held = [interval.low <= one / two <= interval.high for interval in found if interval is not None]
        assert sum(held) / len(held) >= 0.94
    assert ratio(Share(3, 10), Share(0, 10)) is None
    nothing = ratio(Share(0, 30), Share(20, 30))
    assert nothing is not None and nothing.value == 0.0 == nothing.low and 0 < nothing.high < 0.4
    assert isinstance(nothing, Interval) and math.isfinite(nothing.high)


def test_the_drift_benchmark_finds_shifts_and_keeps_its_monthly_promise() -> None:
    """A small run of the benchmark; the floors are judged by the long one."""
    from benchmarks.drift import Setting, figures  # sets Django up when it stands alone

    row = figures(Setting(claims_a_day=250, features=10, months=12, trials=60, seed=7))
    assert row["found_within_500_worst"] >= 0.95
    assert row["false_alarms_a_month"] <= 0.25, "12 months: three false alarms would be 1 in 50"
    assert json.dumps(row)
