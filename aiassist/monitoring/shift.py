"""Whether two samples can come from one source: exact or conservative p-values, in batches. Pure NumPy.

A batch is a matrix with one window a row, each compared with the same reference; the figures of `benchmarks/drift.py`
are made by these very functions. scipy gives the same numbers (the tests compare) and is left to the training tools:
what a worker checks a few times a day needs no further library in its memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

PSI_BINS = 10
# A share of nothing has no logarithm; half a case a bin is the usual repair.
_HALF_A_CASE = 0.5


@dataclass(frozen=True)
class Placed:
    """A reference and windows (one a row), sorted, with how many of the reference lie below and up to each value."""

    known: Floats
    rows: Floats
    below: Counts
    upto: Counts


def place(reference: Floats, windows: Floats) -> Placed:
    """Return the samples as both tests read them."""
    known, rows = np.sort(reference), np.sort(windows, axis=1)
    below, upto = np.searchsorted(known, rows, side="left"), np.searchsorted(known, rows, side="right")
    return Placed(known, rows, below, upto)


def ks_distances(placed: Placed) -> Floats:
    """Return for each row the largest distance between its distribution and the reference's (0 to 1); ties are met."""
    rows, m = placed.rows, len(placed.known)
    size = rows.shape[1]
    steps = np.arange(size + 1)
    first, last = np.broadcast_to(steps[:-1], rows.shape), np.broadcast_to(steps[1:], rows.shape)
    same = rows[:, 1:] == rows[:, :-1]
    if bool(same.any()):  # of equal values the first stands for "below" and the last for "up to"
        starts, ends = np.ones(rows.shape, dtype=np.bool_), np.ones(rows.shape, dtype=np.bool_)
        starts[:, 1:], ends[:, :-1] = ~same, ~same
        first = np.maximum.accumulate(np.where(starts, first, 0), axis=1)
        last = np.minimum.accumulate(np.where(ends, last, size)[:, ::-1], axis=1)[:, ::-1]
    at = np.abs(last / size - placed.upto / m).max(axis=1)
    before = np.abs(first / size - placed.below / m).max(axis=1)
    larger: Floats = np.maximum(at, before)
    return larger


def ks_p_values(distances: Floats, reference_size: int, window_size: int) -> Floats:
    """Return bounds from above of the p-values: 2·exp(-2λ²), the first term of Kolmogorov's alternating series."""
    scale = reference_size * window_size / (reference_size + window_size)
    return np.minimum(2.0 * np.exp(-2.0 * scale * np.square(distances)), 1.0)


def centre_p_values(placed: Placed) -> Floats:
    """Return two-sided p-values of the rank-sum test (Mann and Whitney), normal with correction for continuity, ties.

    Beyond some 50 cases a side the normal tail lies above the exact one, down to the 1e-6 that a look asks for.
    """
    known, rows = placed.known, placed.rows
    m, n = len(known), rows.shape[1]
    ranks = ((placed.below + placed.upto) / 2.0).sum(axis=1)
    tied = (placed.below != placed.upto).any() or (rows[:, 1:] == rows[:, :-1]).any() or (known[1:] == known[:-1]).any()
    terms = _tie_terms(known, rows) if tied else 0.0
    spread = m * n / 12.0 * ((m + n + 1) - terms) * np.ones(len(rows))
    reach = np.maximum(np.abs(ranks - m * n / 2.0) - 0.5, 0.0)
    z = np.divide(reach, np.sqrt(spread), out=np.zeros_like(reach), where=spread > 0)
    return np.array([math.erfc(value / math.sqrt(2.0)) for value in z], dtype=np.float64)


def _tie_terms(known: Floats, windows: Floats) -> Floats:
    """Return what equal values take from the spread of ranks."""
    total = len(known) + windows.shape[1]
    terms = []
    for row in windows:
        counts = np.unique(np.concatenate([known, row]), return_counts=True)[1].astype(np.float64)
        terms.append(float((counts**3 - counts).sum()) / (total * (total - 1)))
    return np.array(terms, dtype=np.float64)


def total_variation(reference: Counts, windows: Counts) -> Floats:
    """Return half the summed difference of the class shares of each row (0 the same, 1 nothing in common)."""
    shares = windows / windows.sum(axis=1, keepdims=True)
    distances: Floats = 0.5 * np.abs(shares - reference / reference.sum()).sum(axis=1)
    return distances


def variation_p_values(reference: Counts, windows: Counts) -> Floats:
    """Return bounds from above of the p-values of the total variation distance, without drawing lots.

    The distance is the largest difference that any set of classes shows. Were both samples of one source, the cases
    of one set in the window would follow the hypergeometric law; the tails of all sets are summed (Bonferroni).
    """
    found = total_variation(reference, windows)
    m, p_values = int(reference.sum()), np.zeros(len(windows))
    sizes = windows.sum(axis=1)
    for members in _half_of_all_sets(len(reference)):
        chosen = list(members)
        inside = windows[:, chosen].sum(axis=1)
        pooled = inside + int(reference[chosen].sum())
        expected = pooled * (sizes / (m + sizes))
        # |k/n - (K-k)/m| >= d, solved for k; a hair is taken off, so that equal distances count.
        reach = found * (m * sizes / (m + sizes)) * (1.0 - 1e-12)
        p_values += hypergeometric_tail(np.ceil(expected + reach - 1e-9), pooled, sizes, m + sizes)
        p_values += hypergeometric_tail(
            np.ceil(sizes - expected + reach - 1e-9), (m + sizes) - pooled, sizes, m + sizes
        )
    return np.where(found > 0, np.minimum(p_values, 1.0), 1.0)


@cache
def _half_of_all_sets(classes: int) -> tuple[tuple[int, ...], ...]:
    """Return the sets of classes that hold the first one, but not all: the others are their complements."""
    rest = range(1, classes)
    return tuple((0, *more) for size in range(classes - 1) for more in combinations(rest, size))


def hypergeometric_tail(at_least: Floats, successes: Counts, draws: Counts, population: Counts) -> Floats:
    """Return the chance of so many successes or more among the draws, each row for itself; exact (Fisher)."""
    most = int(np.max(draws))
    table = _log_factorials(int(np.max(population)))
    k = np.arange(most + 1)
    n, good, total = (np.asarray(column)[:, None] for column in (draws, successes, population))
    possible = (k >= np.asarray(at_least)[:, None]) & (k <= np.minimum(n, good)) & (n - k <= total - good)
    hit, miss = np.where(possible, k, 0), np.where(possible, n - k, 0)
    logs = (
        (table[good] - table[hit] - table[np.maximum(good - hit, 0)])
        + (table[total - good] - table[miss] - table[np.maximum(total - good - miss, 0)])
        - (table[total] - table[n] - table[total - n])
    )
    tails: Floats = np.minimum(np.where(possible, np.exp(logs), 0.0).sum(axis=1), 1.0)
    return tails


@cache
def _log_factorials(largest: int) -> Floats:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, largest + 1, dtype=np.float64)))])


def fisher_less(window_hits: int, window: int, reference_hits: int, reference: int) -> float:
    """Return the one-sided exact p-value that the window's share of hits is no smaller than the reference's."""
    misses = np.array([window - window_hits], dtype=np.float64)
    pooled = np.array([window + reference - window_hits - reference_hits])
    return float(hypergeometric_tail(misses, pooled, np.array([window]), np.array([window + reference]))[0])


def holm(p_values: Floats) -> Floats:
    """Return p-values adjusted for their number (Holm 1979): below alpha, all wrong claims together stay under it."""
    order = np.argsort(p_values)
    count = len(p_values)
    steps = np.maximum.accumulate(p_values[order] * (count - np.arange(count)))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def stability_index(reference: Floats, window: Floats) -> float:
    """Return the population stability index over the reference's tenths. A described figure: it has no threshold.

    Two samples of one source give about (bins - 1)·(1/m + 1/n) by chance alone.
    """
    edges = np.unique(np.quantile(reference, np.linspace(0.0, 1.0, PSI_BINS + 1)[1:-1]))
    parts = [
        np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(edges) + 1)
        for sample in (reference, window)
    ]
    expected, found = ((part + _HALF_A_CASE) / (part.sum() + _HALF_A_CASE * len(part)) for part in parts)
    return float(((found - expected) * np.log(found / expected)).sum())
