"""Whether today's claims still look like those the reference was made of: one look, judged by four questions. Pure.

The scheme (docs/model-health.md): a frozen reference, a window of the newest claims, a look every so many claims. Each
look may spend the part of a month's error that its own time is of a month, so looking often costs nothing: the sum
over a month is `MONTHLY_ALPHA` whatever the number of claims, and what is shared by overlapping windows only lowers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import numpy as np

from aiassist.monitoring.intervals import Interval, Share, difference
from aiassist.monitoring.shift import (
    Counts,
    Floats,
    centre_p_values,
    fisher_less,
    holm,
    ks_distances,
    ks_p_values,
    place,
    stability_index,
    total_variation,
    variation_p_values,
)

REFERENCE_CLAIMS = 1_000
# With 400 of 1,000 a shift by half a standard deviation stands out some 8 standard errors, at least one look of every
# 500 claims after it sees nothing older, and a false alarm is washed out within days.
WINDOW_CLAIMS = 400
LOOK_EVERY_CLAIMS = 100
# A test of fewer cases than this has no power at the levels used here.
FEWEST_CASES = 100
# How likely at least one false alarm is in a month at most, and what each question may spend of it. The promise is
# 0.05; claims that come in clumps (one storm, one repairer) depend on each other, which no test sees: less is spent.
MONTHLY_ALPHA = 0.02
FEATURES_SHARE, PREDICTIONS_SHARE, AGREEMENT_SHARE, SERVICE_SHARE = 0.5, 0.2, 0.2, 0.1
_MONTH = timedelta(days=30)
# After a quiet time one look must not spend a month at once.
_LONGEST_SPENT = timedelta(days=7)


class DriftLevel(StrEnum):
    """How large a change is that is hardly chance; the steps are conventions, not tests."""

    NOT_ENOUGH = "NOT_ENOUGH"
    NONE = "NONE"
    LOW = "LOW"
    MODERATE = "MODERATE"
    SEVERE = "SEVERE"


LEVELS = tuple(DriftLevel)
# Distances of distributions (Kolmogorov–Smirnov, total variation), and drops of agreement in shares.
_DISTANCE_STEPS = (0.2, 0.4)
_DROP_STEPS = (0.05, 0.10)


@dataclass(frozen=True)
class Sample:
    """What was seen of some claims: feature columns (NaN where not measured), predicted classes, served, agreed."""

    claims: int
    features: Mapping[str, Floats]
    classes: Counts
    degraded: int
    agreed: int
    decided: int


@dataclass(frozen=True)
class FeatureDrift:
    """One feature: how far apart, adjusted p-values, and described figures without a threshold.

    `moved_sd` is the difference of the means in standard deviations of the reference, None where too few were measured.
    """

    name: str
    distance: float
    p_value: float
    moved_sd: float | None
    stability_index: float | None
    absent_before: float
    absent_now: float
    level: DriftLevel


@dataclass(frozen=True)
class ShareDrift:
    """A figure of all claims of the window against the reference's; `p_value` is of this look alone."""

    value: float | None
    before: float | None
    change: Interval | None
    p_value: float | None
    cases: int
    level: DriftLevel


@dataclass(frozen=True)
class LookVerdict:
    """What one look found; `alpha` is what all its questions together might spend."""

    alpha: float
    features: tuple[FeatureDrift, ...]
    predictions: ShareDrift
    agreement: ShareDrift
    service: ShareDrift

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        return tuple(found for found in self.features if is_change(found.level))

    @property
    def covariate_level(self) -> DriftLevel:
        return worst([found.level for found in self.features]) if self.features else DriftLevel.NOT_ENOUGH

    @property
    def level(self) -> DriftLevel:
        return worst([self.covariate_level, self.predictions.level, self.agreement.level, self.service.level])

    @property
    def alarm(self) -> bool:
        return is_change(self.level)


def is_change(level: DriftLevel) -> bool:
    return LEVELS.index(level) >= LEVELS.index(DriftLevel.LOW)


def worst(levels: list[DriftLevel]) -> DriftLevel:
    return max(levels, key=LEVELS.index)


def alpha_for(elapsed: timedelta) -> float:
    """Return what a look may spend whose window reached so much further than the one before it."""
    return MONTHLY_ALPHA * (min(elapsed, _LONGEST_SPENT) / _MONTH)


def judge(reference: Sample, window: Sample, *, alpha: float) -> LookVerdict:
    """Return the verdict of one look."""
    return LookVerdict(
        alpha=alpha,
        features=_features(reference, window, alpha=alpha * FEATURES_SHARE),
        predictions=_predictions(reference, window, alpha=alpha * PREDICTIONS_SHARE),
        agreement=_agreement(reference, window, alpha=alpha * AGREEMENT_SHARE),
        service=_service(reference, window, alpha=alpha * SERVICE_SHARE),
    )


def feature_p_values(reference: Floats, windows: Floats) -> tuple[Floats, Floats]:
    """Return the distances and p-values of a feature without gaps, one row a window: the smaller of two tests, doubled.

    Kolmogorov and Smirnov see every change of shape, but a moved centre only half as well as the rank sum does.
    """
    placed = place(reference, windows)
    distances = ks_distances(placed)
    shape = ks_p_values(distances, len(reference), windows.shape[1])
    return distances, np.minimum(2.0 * np.minimum(shape, centre_p_values(placed)), 1.0)


def _features(reference: Sample, window: Sample, *, alpha: float) -> tuple[FeatureDrift, ...]:
    pairs = [(name, known, window.features[name]) for name, known in sorted(reference.features.items())]
    judged = [
        (name, known, now)
        for name, known, now in pairs
        if min(len(known), len(now)) >= FEWEST_CASES and not (np.isnan(known).all() and np.isnan(now).all())
    ]
    if not judged:
        return ()
    found = [_one_feature(known, now) for _, known, now in judged]
    adjusted = holm(np.array([p_value for _, p_value in found]))
    return tuple(
        _described(name, known, now, distance, float(p_value), alpha)
        for (name, known, now), (distance, _), p_value in zip(judged, found, adjusted, strict=True)
    )


def _one_feature(known: Floats, now: Floats) -> tuple[float, float]:
    """Return distance and p-value; what was not measured counts as a value below all others, so that more gaps show."""
    present, current = known[~np.isnan(known)], now[~np.isnan(now)]
    if len(present) == len(known) and len(current) == len(now):
        distances, p_values = feature_p_values(known, now[None, :])
        return float(distances[0]), float(p_values[0])
    distances = ks_distances(place(_filled(known), _filled(now)[None, :]))
    p_value = float(ks_p_values(distances, len(known), len(now))[0])
    if min(len(present), len(current)) >= FEWEST_CASES:
        p_value = min(p_value, float(centre_p_values(place(present, current[None, :]))[0]))
    return float(distances[0]), min(2.0 * p_value, 1.0)


def _filled(values: Floats) -> Floats:
    return np.where(np.isnan(values), -np.inf, values)


def _described(name: str, known: Floats, now: Floats, distance: float, p_value: float, alpha: float) -> FeatureDrift:
    present, current = known[~np.isnan(known)], now[~np.isnan(now)]
    enough = min(len(present), len(current)) >= FEWEST_CASES
    spread = float(present.std()) if enough else 0.0
    return FeatureDrift(
        name=name,
        distance=distance,
        p_value=p_value,
        moved_sd=float(current.mean() - present.mean()) / spread if spread > 0 else None,
        stability_index=stability_index(present, current) if enough else None,
        absent_before=1.0 - len(present) / len(known),
        absent_now=1.0 - len(current) / len(now),
        level=_level(distance, _DISTANCE_STEPS) if p_value < alpha else DriftLevel.NONE,
    )


def _predictions(reference: Sample, window: Sample, *, alpha: float) -> ShareDrift:
    if min(reference.claims, window.claims) < FEWEST_CASES:
        return _not_enough(window.claims)
    distance = float(total_variation(reference.classes, window.classes[None, :])[0])
    p_value = float(variation_p_values(reference.classes, window.classes[None, :])[0])
    level = _level(distance, _DISTANCE_STEPS) if p_value < alpha else DriftLevel.NONE
    return ShareDrift(distance, 0.0, None, p_value, window.claims, level)


def _agreement(reference: Sample, window: Sample, *, alpha: float) -> ShareDrift:
    """Agreement of people with the AI's severity; only a drop is an alarm."""
    if min(reference.decided, window.decided) < FEWEST_CASES:
        return _not_enough(window.decided)
    now, before = Share(window.agreed, window.decided), Share(reference.agreed, reference.decided)
    p_value = fisher_less(now.hits, now.count, before.hits, before.count)
    level = _level(before.value - now.value, _DROP_STEPS) if p_value < alpha else DriftLevel.NONE
    return ShareDrift(now.value, before.value, difference(now, before), p_value, now.count, level)


def _service(reference: Sample, window: Sample, *, alpha: float) -> ShareDrift:
    """Claims that no vision model answered for; only a rise is an alarm."""
    if min(reference.claims, window.claims) < FEWEST_CASES:
        return _not_enough(window.claims)
    now, before = Share(window.degraded, window.claims), Share(reference.degraded, reference.claims)
    served = (now.count - now.hits, now.count, before.count - before.hits, before.count)
    p_value = fisher_less(*served)
    level = _level(now.value - before.value, _DROP_STEPS) if p_value < alpha else DriftLevel.NONE
    return ShareDrift(now.value, before.value, difference(now, before), p_value, now.count, level)


def _not_enough(cases: int) -> ShareDrift:
    return ShareDrift(None, None, None, None, cases, DriftLevel.NOT_ENOUGH)


def _level(size: float, steps: tuple[float, float]) -> DriftLevel:
    moderate, severe = steps
    if size >= severe:
        return DriftLevel.SEVERE
    return DriftLevel.MODERATE if size >= moderate else DriftLevel.LOW
