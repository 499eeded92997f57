"""How well a score orders cases, with intervals: the bootstrap over cases, seeded.

Each resample is a row of weights over cases that are sorted once, so that a thousand resamples cost one pass of
NumPy; one call of a library's metric per resample took twenty seconds instead. The library's metrics are the oracle
in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aiassist.fraud.table import Flags, Floats

SEED = 20_260_101
RESAMPLES = 1_000
_CONFIDENCE = 0.95
_BLOCK = 100  # resamples at a time: a few megabytes


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Ranking:
    """How one score orders the cases of a test part."""

    auc: Estimate
    average_precision: Estimate


def area_under_curve(labels: Flags, scores: Floats) -> float:
    """Return the chance that a flagged case scores above one that is not (AUC); ties count half."""
    return float(_figures(labels, scores, np.ones((1, len(labels))))[0][0])


def ranking_of(labels: Flags, scores: Floats) -> Ranking:
    """Return AUC and average precision with intervals."""
    whole = _figures(labels, scores, np.ones((1, len(labels))))
    blocks = [_figures(labels, scores, weights) for weights in _resamples(labels)]
    auc, precision = (np.concatenate(found) for found in zip(*blocks, strict=True))
    return Ranking(_estimate(float(whole[0][0]), auc), _estimate(float(whole[1][0]), precision))


def auc_difference(labels: Flags, scores: Floats, other: Floats) -> Estimate:
    """Return how much better the first score orders the same cases than the other one (paired)."""
    drawn = [_figures(labels, scores, w)[0] - _figures(labels, other, w)[0] for w in _resamples(labels)]
    return _estimate(area_under_curve(labels, scores) - area_under_curve(labels, other), np.concatenate(drawn))


def _figures(labels: Flags, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return AUC and average precision of each row of case weights."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # equal scores are one step
    sorted_weights, flagged = weights[:, order], labels[order]
    hits = np.cumsum(sorted_weights * flagged, axis=1)[:, ends]
    misses = np.cumsum(sorted_weights * ~flagged, axis=1)[:, ends]
    new_hits, new_misses = np.diff(hits, axis=1, prepend=0.0), np.diff(misses, axis=1, prepend=0.0)
    auc = (new_misses * (hits - new_hits / 2)).sum(axis=1) / (hits[:, -1] * misses[:, -1])
    seen = np.maximum(hits + misses, 1e-12)
    precision = (new_hits * hits / seen).sum(axis=1) / hits[:, -1]
    return auc, precision


def _resamples(labels: Flags) -> Iterator[Floats]:
    """Yield blocks of case weights; a draw with one label only has no order and is left out."""
    source = np.random.default_rng(SEED)
    count = len(labels)
    for _ in range(RESAMPLES // _BLOCK):
        weights = source.multinomial(count, np.full(count, 1.0 / count), size=_BLOCK).astype(np.float64)
        flagged = weights @ labels
        yield weights[(flagged > 0) & (flagged < count)]


def _estimate(value: float, drawn: Floats) -> Estimate:
    low, high = np.quantile(drawn, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return Estimate(*(round(float(number), 4) for number in (value, low, high)))
