"""Mondrian split conformal prediction: a set of labels that holds the true one with the promised share, class by class.

Per class, because a marginal set at 90 % covered 0 % of a rare class (AI.md, "Conformal").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from aiassist.types import Severity

COVERAGE_TARGET = 0.9  # fixed by API.md


def minimum_cases(coverage: float) -> int:
    """Return how many calibration cases a class needs before it can ever be left out: 1/(n+1) <= 1 - coverage."""
    return math.ceil(1.0 / (1.0 - coverage) - 1e-9) - 1


def p_value(score: float, calibration_scores: Sequence[float]) -> float:
    """Return the share of calibration cases at least as strange, with the finite-sample correction (n + 1)."""
    strange = int(np.count_nonzero(np.asarray(calibration_scores, dtype=np.float64) >= score))
    return (strange + 1) / (len(calibration_scores) + 1)


def prediction_set(
    probabilities: Mapping[Severity, float],
    calibration: Mapping[Severity, Sequence[float]],
    *,
    coverage: float = COVERAGE_TARGET,
) -> tuple[Severity, ...]:
    """Return the labels that cannot be ruled out, in the order of harm; empty where none of them fits.

    The strangeness of a label is 1 - its probability, held against the calibration cases of that label alone. A label
    with fewer cases than `minimum_cases` is always in the set.
    """
    kept = []
    for label in Severity:
        scores = calibration.get(label, ())
        strange = 1.0 - probabilities[label]
        if len(scores) < minimum_cases(coverage) or p_value(strange, scores) > 1.0 - coverage + 1e-12:
            kept.append(label)
    return tuple(kept)


def with_label(labels: Sequence[Severity], probabilities: Mapping[Severity, float]) -> tuple[Severity, ...]:
    """Return the set together with the most probable label: an opinion must not rule out what it says itself.

    A superset covers at least as often, so the promise stays; showing another label instead would hide the harm that
    the model thinks most likely. An empty set stays empty: the case is stranger than nine in ten of every class, and
    that none of them fits is the message. It costs the promise nothing: the quantile of each class allows for it.
    """
    if not labels:
        return ()
    surest = max(Severity, key=lambda label: probabilities[label])
    return tuple(label for label in Severity if label in labels or label is surest)


def is_calibrated(calibration: Mapping[Severity, Sequence[float]], *, coverage: float = COVERAGE_TARGET) -> bool:
    """Tell whether every class has enough cases for the promise to mean something."""
    return all(len(calibration.get(label, ())) >= minimum_cases(coverage) for label in Severity)
