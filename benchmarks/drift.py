"""How often drift is found where there is none, and how surely where there is: `python -m benchmarks.drift [--quick]`.

Simulated tenants with 10 and 25 features of several shapes, at 50, 250 and 1,000 claims a day, judged by the product's
own tests on the product's own schedule (reference, window, looks, the timer's delay). Features do not depend on each
other, which is the case with most chances for a false alarm. Prints a JSON line for each setting; seeded.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from multiprocessing import get_context

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import benchmarks.in_django  # noqa: F401
from aiassist.monitoring.drift import (
    AGREEMENT_SHARE,
    FEATURES_SHARE,
    LOOK_EVERY_CLAIMS,
    PREDICTIONS_SHARE,
    REFERENCE_CLAIMS,
    SERVICE_SHARE,
    WINDOW_CLAIMS,
    alpha_for,
    feature_p_values,
)
from aiassist.monitoring.intervals import Share
from aiassist.monitoring.shift import hypergeometric_tail, variation_p_values
from aiassist.monitoring.watching import WATCH_SECONDS

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]

RATES, FEATURES = (50, 250, 1_000), (10, 25)
MONTHS = {50: 600, 250: 240, 1_000: 80}
QUICK_MONTHS = {50: 40, 250: 10, 1_000: 3}
DAYS = 30
SHIFT_SD, FOUND_WITHIN = 0.5, 500
CLASSES = (0.55, 0.2, 0.15, 0.07, 0.03)
AGREED, DEGRADED = 0.85, 0.1


def _standardised(values: Floats, mean: float, spread: float) -> Floats:
    return (values - mean) / spread


# Each with mean 0 and standard deviation 1.
SHAPES: dict[str, Draw] = {
    "normal": lambda source, count: source.standard_normal(count),
    "uniform": lambda source, count: source.uniform(-math.sqrt(3), math.sqrt(3), count),
    "lognormal": lambda source, count: _standardised(
        source.lognormal(0.0, 1.0, count), math.exp(0.5), math.sqrt((math.e - 1) * math.e)
    ),
    "heavy_tailed": lambda source, count: source.standard_t(3, count) / math.sqrt(3),
    "two_humps": lambda source, count: (
        (source.standard_normal(count) * 0.5 + np.where(source.random(count) < 0.5, -1, 1)) / math.sqrt(1.25)
    ),
    "exponential": lambda source, count: source.exponential(1.0, count) - 1.0,
}


@dataclass(frozen=True)
class Setting:
    claims_a_day: int
    features: int
    months: int
    trials: int
    seed: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer months and trials: seconds instead of minutes")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    chosen = settings(quick=options.quick)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("fork")) as pool:
        found = list(pool.map(figures, reversed(chosen)))[::-1]
    for row in found:
        print(json.dumps({"benchmark": "drift", **row}))
    held = all(row["false_alarms_a_month"] <= 0.05 and row["found_within_500_worst"] >= 0.95 for row in found)
    print(json.dumps({"benchmark": "drift", "floors": {"false_alarms_a_month": 0.05, "found": 0.95}, "held": held}))
    sys.exit(0 if held else 1)


def settings(*, quick: bool) -> list[Setting]:
    months = QUICK_MONTHS if quick else MONTHS
    return [
        Setting(rate, features, months[rate], 40 if quick else 400, seed=rate * 100 + features)
        for rate in RATES
        for features in FEATURES
    ]


def figures(setting: Setting) -> dict[str, float]:
    """Return the setting's share of months with a false alarm, and of shifts that were found in time."""
    source = np.random.default_rng(setting.seed)
    alarms = sum(false_alarm(setting, source) for _ in range(setting.months))
    found = {name: _found_share(setting, draw, source) for name, draw in SHAPES.items()}
    low, high = Share(alarms, setting.months).bounds()
    return {
        **{name: value for name, value in asdict(setting).items() if name != "seed"},
        "false_alarms_a_month": round(alarms / setting.months, 4),
        "false_alarms_low": round(low, 4),
        "false_alarms_high": round(high, 4),
        "found_within_500": round(sum(found.values()) / len(found), 4),
        "found_within_500_worst": round(min(found.values()), 4),
    }


def look_alpha(claims_a_day: int) -> float:
    return alpha_for(timedelta(days=LOOK_EVERY_CLAIMS / claims_a_day))


def false_alarm(setting: Setting, source: np.random.Generator) -> bool:
    """Whether any look of a month without drift raises an alarm, by any of the four questions."""
    claims = DAYS * setting.claims_a_day + WINDOW_CLAIMS
    alpha = look_alpha(setting.claims_a_day)
    draws = list(SHAPES.values())
    for place in range(setting.features):
        draw = draws[place % len(draws)]
        _, p_values = feature_p_values(draw(source, REFERENCE_CLAIMS), windows_of(draw(source, claims)))
        # Holm's smallest adjusted p-value is Bonferroni's.
        if bool((p_values * setting.features < alpha * FEATURES_SHARE).any()):
            return True
    return _classes_alarm(source, claims, alpha) or any(
        _share_alarm(source, claims, alpha * part, share)
        for part, share in ((AGREEMENT_SHARE, AGREED), (SERVICE_SHARE, 1.0 - DEGRADED))
    )


def windows_of(stream: Floats) -> Floats:
    """Return the windows that the looks see, one a row."""
    return sliding_window_view(stream, WINDOW_CLAIMS)[LOOK_EVERY_CLAIMS::LOOK_EVERY_CLAIMS]


def _classes_alarm(source: np.random.Generator, claims: int, alpha: float) -> bool:
    reference = source.multinomial(REFERENCE_CLAIMS, CLASSES)
    blocks = source.multinomial(LOOK_EVERY_CLAIMS, CLASSES, size=claims // LOOK_EVERY_CLAIMS)
    p_values = variation_p_values(reference, _summed(blocks))
    return bool((p_values < alpha * PREDICTIONS_SHARE).any())


def _share_alarm(source: np.random.Generator, claims: int, alpha: float, share: float) -> bool:
    known = int(source.binomial(REFERENCE_CLAIMS, share))
    blocks = source.binomial(LOOK_EVERY_CLAIMS, share, size=(claims // LOOK_EVERY_CLAIMS, 1))
    hits = _summed(blocks)[:, 0]
    window = np.full(len(hits), WINDOW_CLAIMS)
    pooled = WINDOW_CLAIMS + REFERENCE_CLAIMS - hits - known
    misses = (WINDOW_CLAIMS - hits).astype(np.float64)
    return bool((hypergeometric_tail(misses, pooled, window, window + REFERENCE_CLAIMS) < alpha).any())


def _summed(blocks: NDArray[np.int64]) -> NDArray[np.int64]:
    inside = WINDOW_CLAIMS // LOOK_EVERY_CLAIMS
    summed: NDArray[np.int64] = sliding_window_view(blocks, inside, axis=0).sum(axis=-1)[1:]
    return summed


def _found_share(setting: Setting, draw: Draw, source: np.random.Generator) -> float:
    trials = max(setting.trials // len(SHAPES), 1)
    return sum(_is_found(setting, draw, source) for _ in range(trials)) / trials


def _is_found(setting: Setting, draw: Draw, source: np.random.Generator) -> bool:
    """Whether a shift of one feature that begins anywhere between two looks raises the alarm in time.

    What comes in while the timer waits counts against the 500.
    """
    waited = math.ceil(setting.claims_a_day * WATCH_SECONDS / 86_400)
    begins = WINDOW_CLAIMS + int(source.integers(LOOK_EVERY_CLAIMS))
    stream = draw(source, begins + FOUND_WITHIN - waited)
    stream[begins:] += SHIFT_SD
    _, p_values = feature_p_values(draw(source, REFERENCE_CLAIMS), windows_of(stream))
    return bool((p_values * setting.features < look_alpha(setting.claims_a_day) * FEATURES_SHARE).any())


if __name__ == "__main__":
    main()
