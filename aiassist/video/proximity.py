"""Time to contact from the growth of what is ahead, without a detector: degraded, and said so by the caller.

What comes nearer grows: the relative growth per second is one over the time to contact. It is fitted in a corridor
around the vanishing point. Free road and houses grow there, too, in proportion to the own speed; what grows beyond
that is an object.

Measured on rendered drives (largest excess before any contact): calm by day 0.13–0.53, near misses 0.28–0.71, striking
the vehicle ahead 0.93–2.9 per second; two pictures alone are noise (0.4–1.4 s of contact time on a calm motorway).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.types import EvidenceStage, HazardKind
from aiassist.video.events import Event, score_from
from aiassist.video.motion import HALF_HEIGHT_PX, HALF_WIDTH_PX, CameraMotion, cell_positions, pictures_in
from aiassist.video.observe import VideoRecord
from aiassist.video.robust import Array, fit_fields, runs, smooth
from aiassist.video.speed import Speed
from aiassist.video.trust import noise_texture, trust_of

# Half width, top and bottom of the corridor in analysis pixels from the centre: a car at 10 m fills it, the bonnet is
# below it.
CORRIDOR = (32.0, -20.0, 25.0)
SMOOTH_SECONDS = 0.35
MIN_SAMPLES = 5
# At night a corridor without lamps says nothing.
LEAST_TRUST = 0.35
# Excess growth that is near by itself (1.6 s to contact), and while the driver brakes hard.
NEAR_EXCESS, BRAKING_EXCESS = 0.62, 0.2
NEAR_MIN_SECONDS = 0.2
BRAKE_REACH_SECONDS = 1.0
# More than this is a cut, a wiper or a hand in front of the lens.
MOST_GROWTH = 12.0
# Growth slower than this is a time longer than 20 s.
LEAST_GROWTH = 0.05
USUAL_SPEED_RANGE = (0.5, 1.5)
MIN_USUAL_PICTURES = 10


@dataclass(frozen=True)
class Approach:
    """Per picture: growth ahead (1/s), its part beyond the scenery's, and the standard error."""

    seconds: Array
    growth: Array
    excess: Array
    error: Array

    def time_to_contact(self) -> Array:
        """Seconds to contact at unchanged speed with what grows beyond the scenery, at most 20."""
        return np.asarray(np.where(self.excess > LEAST_GROWTH, 1.0 / np.maximum(self.growth, LEAST_GROWTH), 20.0))


def approach_of(record: VideoRecord, motion: CameraMotion, speed: Speed) -> Approach:
    """Fits the growth of what is ahead to every picture pair."""
    width = max(MIN_SAMPLES, pictures_in(motion.seconds, SMOOTH_SECONDS))
    rate, trust = _growth(record)
    rate = np.where(motion.usable & (trust >= LEAST_TRUST), rate, 0.0)
    growth = np.clip(smooth(rate, width), -MOST_GROWTH, MOST_GROWTH)
    relative = np.clip(speed.relative, 0.0, USUAL_SPEED_RANGE[1]) if speed.known else np.ones_like(growth)
    driving = (relative > USUAL_SPEED_RANGE[0]) & motion.usable
    usual = float(np.median(growth[driving] / relative[driving])) if driving.sum() >= MIN_USUAL_PICTURES else 0.0
    return Approach(motion.seconds, growth, growth - max(usual, 0.0) * relative, _standard_error(rate, width))


def _growth(record: VideoRecord) -> tuple[Array, NDArray[np.float32]]:
    """Relative growth per second inside the corridor by a robust fit of shift and scale, and the mean trust in it."""
    half_width, top, bottom = CORRIDOR
    x, y = cell_positions()
    inside = (np.abs(x) < half_width) & (y > top) & (y < bottom)
    basis = np.zeros((int(inside.sum()), 2, 3))
    basis[:, 0, 0] = basis[:, 1, 1] = 1.0
    basis[:, 0, 2], basis[:, 1, 2] = x[inside], y[inside] - (top + bottom) / 2
    flow = record.flow.reshape(record.count, -1, 2)[:, inside]
    trust = trust_of(record.texture.reshape(record.count, -1)[:, inside], noise_texture(record))
    fitted, _ = fit_fields(flow, trust, basis)
    rate = fitted[:, 2] / np.maximum(record.flow_step.astype(np.float64), 1e-3)
    return rate, np.asarray(trust.mean(axis=1), np.float32)


def _standard_error(values: Array, width: int) -> Array:
    """Robust standard error of the median of each window."""
    half = width // 2
    padded = np.pad(values, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)[: values.size]
    spread = 1.4826 * np.median(np.abs(windows - np.median(windows, axis=1, keepdims=True)), axis=1)
    return np.asarray(1.2533 * spread / np.sqrt(2 * half + 1))


def near_events(approach: Approach, brakes: list[Event]) -> list[Event]:
    """Stretches in which what is ahead grows too fast, beyond its error; sooner believed while the driver brakes."""
    threshold = np.full(approach.seconds.size, NEAR_EXCESS)
    for brake in brakes:
        reach = (approach.seconds >= brake.start_seconds - BRAKE_REACH_SECONDS) & (
            approach.seconds <= brake.end_seconds + BRAKE_REACH_SECONDS
        )
        threshold[reach] = BRAKING_EXCESS
    near = approach.excess - approach.error > threshold
    events = []
    for first, last in runs(near, join=3):
        start, end = float(approach.seconds[first]), float(approach.seconds[last])
        if end - start < NEAR_MIN_SECONDS or last - first + 1 < MIN_SAMPLES:
            continue
        peak = first + int(np.argmax(approach.excess[first : last + 1]))
        events.append(_event(approach, start, end, peak, float(threshold[peak])))
    return events


def _event(approach: Approach, start: float, end: float, peak: int, threshold: float) -> Event:
    excess = float(approach.excess[peak])
    return Event(
        hazard=HazardKind.NEAR_MISS,
        stage=EvidenceStage.PROXIMITY,
        kind="short_time_to_contact",
        measure="excess_growth_per_second",
        value=excess,
        threshold=threshold,
        start_seconds=start,
        end_seconds=end,
        peak_seconds=float(approach.seconds[peak]),
        score=score_from(excess, NEAR_EXCESS),
        box=corridor_box(),
    )


def corridor_box() -> tuple[float, float, float, float]:
    """The corridor as shares of the picture."""
    half_width, top, bottom = CORRIDOR
    return (
        0.5 - half_width / (2 * HALF_WIDTH_PX),
        0.5 + top / (2 * HALF_HEIGHT_PX),
        0.5 + half_width / (2 * HALF_WIDTH_PX),
        0.5 + bottom / (2 * HALF_HEIGHT_PX),
    )
