"""Mondrian split conformal prediction on a tenant's own audited cases, weighted and adaptive. Pure.

The cases are drawn at random among the tenant's decided claims and labelled blind, so they speak for the tenant's own
videos as the rendered calibration cannot. A case counts with 1 / (the probability with which it was drawn), because
that share may change over time. Where the world drifts faster than the cases are replaced, each class adapts the share
of misses that it allows itself (adaptive conformal inference, Gibbs and Candès 2021).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aiassist.assessment.conformal import COVERAGE_TARGET
from aiassist.types import Severity

TENANT: Final = "TENANT"
# With 50 cases the real coverage of a class lies within some ± 4 points of its target; below, the promise is too loose.
FEWEST_PER_CLASS = 50
# The newest ones: enough for a share to half a point, and old cameras and roads fall out.
MOST_PER_CLASS = 1_000
# How far one audited case moves the allowed share of misses: 0.02 forgets half of a drift's effect in some 35 cases.
ADAPTATION_STEP = 0.02
# Below zero a class always stays in until hits have paid its misses back: cut at zero, every second rare case could
# be missed. Above 30 % a set would promise next to nothing.
FEWEST_MISSES, MOST_MISSES = -0.30, 0.30

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AuditedCase:
    """One randomly drawn case with the label of a person who saw neither the AI's answer nor the first decision."""

    probabilities: Mapping[Severity, float]
    true_label: Severity
    inclusion_probability: float


@dataclass(frozen=True)
class ClassScores:
    """How strange the true label of each case of a class looked (1 - its probability), and what the case counts."""

    scores: Floats
    weights: Floats

    def p_value(self, score: float) -> float:
        """Return the weighted share of cases at least as strange, the new one among them (finite-sample correction).

        The new case counts as much as the heaviest: with equal weights that is exactly (k + 1) / (n + 1).
        """
        own = float(self.weights.max())
        return (float(self.weights[self.scores >= score].sum()) + own) / (float(self.weights.sum()) + own)


@dataclass(frozen=True)
class TenantCalibration:
    """All four classes with enough cases, and the share of misses that each allows itself now."""

    classes: Mapping[Severity, ClassScores]
    allowed_misses: Mapping[Severity, float]

    def prediction_set(self, probabilities: Mapping[Severity, float]) -> tuple[Severity, ...]:
        """Return the labels that cannot be ruled out, in the order of harm; may be empty."""
        return tuple(
            label
            for label in Severity
            if self.classes[label].p_value(1.0 - probabilities[label]) > self.allowed_misses[label] + 1e-12
        )


def tenant_calibration(
    cases: Iterable[AuditedCase], stream: Iterable[tuple[Severity, bool]], *, coverage: float = COVERAGE_TARGET
) -> TenantCalibration | None:
    """Return the calibration, None while a class has too few cases (the rendered one stays in force then).

    `stream` tells of every audited set that was shown under a tenant calibration, oldest first: the true label, and
    whether the set held it.
    """
    by_class: dict[Severity, list[AuditedCase]] = {label: [] for label in Severity}
    for case in cases:
        by_class[case.true_label].append(case)
    if min(len(found) for found in by_class.values()) < FEWEST_PER_CLASS:
        return None
    return TenantCalibration(
        classes={label: _scores(label, found) for label, found in by_class.items()},
        allowed_misses=adapted_misses(stream, coverage=coverage),
    )


def adapted_misses(stream: Iterable[tuple[Severity, bool]], *, coverage: float) -> dict[Severity, float]:
    """Return the share of misses each class allows itself: less after a miss, a little more after a hit."""
    target = 1.0 - coverage
    allowed = dict.fromkeys(Severity, target)
    for label, was_covered in stream:
        moved = allowed[label] + ADAPTATION_STEP * (target - (0.0 if was_covered else 1.0))
        allowed[label] = min(max(moved, FEWEST_MISSES), MOST_MISSES)
    return allowed


def _scores(label: Severity, cases: Sequence[AuditedCase]) -> ClassScores:
    return ClassScores(
        scores=np.array([1.0 - case.probabilities[label] for case in cases], dtype=np.float64),
        weights=np.array([1.0 / case.inclusion_probability for case in cases], dtype=np.float64),
    )
