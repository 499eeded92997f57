"""Compact time series for the screen: even steps, at most 2,000 values, peaks kept."""

from __future__ import annotations

import numpy as np

from aiassist.types import Signal
from aiassist.video.robust import Array

MAX_VALUES = 2000
# Finer steps than a picture at 30 fps hold nothing.
MIN_STEP_SECONDS = 1 / 30
DECIMALS = 4


def signal_from(
    name: str, unit: str, seconds: Array, values: Array, *, duration_seconds: float, threshold: float | None = None
) -> Signal:
    """Puts values on even steps; each step keeps the value of largest size that falls into it, or the last one."""
    step = max(MIN_STEP_SECONDS, duration_seconds / (MAX_VALUES - 1))
    count = max(1, min(MAX_VALUES, int(duration_seconds / step) + 1))
    slot = np.clip(np.round(seconds / step).astype(np.int64), 0, count - 1)
    strongest = np.zeros(count)
    order = np.argsort(np.abs(values), kind="stable")
    filled = np.zeros(count, bool)
    strongest[slot[order]] = values[order]  # the largest comes last and stays
    filled[slot] = True
    index = np.maximum.accumulate(np.where(filled, np.arange(count), 0))
    even = np.nan_to_num(strongest[index], nan=0.0, posinf=0.0, neginf=0.0)
    return Signal(
        name=name,
        unit=unit,
        start_seconds=0.0,
        step_seconds=round(step, 6),
        values=tuple(float(value) for value in np.round(even, DECIMALS)),
        threshold=threshold,
    )
