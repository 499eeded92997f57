"""Finds stretches of a clip that are shown twice (a loop or a replay), by comparing pictures across the clip.

A picture matches another when they differ far less than the scene itself changes within a third of a second; a repeat
is a row of matches with one and the same distance in time. A standing scene cannot match: it does not change.
"""

from __future__ import annotations

import numpy as np

from aiassist.types import IntegrityCode, IntegrityFlag
from aiassist.video.observe import VideoRecord
from aiassist.video.robust import Array

QUERY_STEP_SECONDS = 0.1
MIN_LAG_SECONDS = 0.6
MIN_REPEAT_SECONDS = 0.5
CHANGE_SECONDS = 0.3
# Differences count as 1 - correlation of 32 x 18 pictures. Recompression makes up to 0.001 of it.
MIN_CHANGE = 0.002
MATCH_RATIO = 0.2
LAG_TOLERANCE_SECONDS = 0.07


def loop_flags(record: VideoRecord) -> list[IntegrityFlag]:
    """One flag per repeated stretch: where the repeat runs, and for how long."""
    queries, lags = _matches(record)
    flags = []
    first = 0
    for index in range(1, len(queries) + 1):
        if index < len(queries) and _continues(queries, lags, index):
            continue
        start, end = queries[first] + lags[first], queries[index - 1] + lags[index - 1]
        if end - start >= MIN_REPEAT_SECONDS:
            detail = f"The pictures from {queries[first]:.1f} s to {queries[index - 1]:.1f} s are shown again."
            value = round(float(end - start), 3)
            flags.append(
                IntegrityFlag(
                    IntegrityCode.LOOPED_SEGMENT,
                    detail,
                    value,
                    MIN_REPEAT_SECONDS,
                    round(float(start), 3),
                    round(float(end), 3),
                )
            )
        first = index
    return flags[:10]


def _continues(queries: Array, lags: Array, index: int) -> bool:
    """True when this match follows the one before in time and at the same lag."""
    return bool(
        queries[index] - queries[index - 1] < 2.5 * QUERY_STEP_SECONDS
        and abs(lags[index] - lags[index - 1]) < LAG_TOLERANCE_SECONDS
    )


def _matches(record: VideoRecord) -> tuple[Array, Array]:
    """Times of pictures that return later, and how much later."""
    pictures = record.thumb.reshape(record.count, -1)
    pictures = pictures - pictures.mean(axis=1, keepdims=True)
    pictures = pictures / np.maximum(np.linalg.norm(pictures, axis=1, keepdims=True), 1e-3)
    seconds = record.seconds
    changes = {index: _own_change(pictures, seconds, index) for index in _query_indices(seconds)}
    asked = [index for index, change in changes.items() if change >= MIN_CHANGE]
    # One product of matrices: picture by picture it takes ten times as long.
    differences = 1.0 - pictures[asked] @ pictures.T
    queries, lags = [], []
    for index, row in zip(asked, differences, strict=True):
        later = int(np.searchsorted(seconds, seconds[index] + MIN_LAG_SECONDS))
        if later >= record.count:
            break
        best = later + int(np.argmin(row[later:]))
        if row[best] < MATCH_RATIO * changes[index]:
            queries.append(float(seconds[index]))
            lags.append(float(seconds[best] - seconds[index]))
    return np.array(queries), np.array(lags)


def _query_indices(seconds: Array) -> list[int]:
    """A picture about every tenth of a second."""
    indices: list[int] = []
    for index in range(seconds.size):
        if not indices or seconds[index] >= seconds[indices[-1]] + QUERY_STEP_SECONDS:
            indices.append(index)
    return indices


def _own_change(pictures: Array, seconds: Array, index: int) -> float:
    """How much the scene changes in a third of a second around a picture (the smaller of before and after)."""
    before = int(np.searchsorted(seconds, seconds[index] - CHANGE_SECONDS))
    after = min(int(np.searchsorted(seconds, seconds[index] + CHANGE_SECONDS)), seconds.size - 1)
    changes = [1.0 - float(pictures[other] @ pictures[index]) for other in (before, after) if other != index]
    return min(changes, default=0.0)
