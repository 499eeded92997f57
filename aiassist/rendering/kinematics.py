"""Motion along the road: speed profiles from knots, gaps, pulses and damped bodies, all on one fixed clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

STEP_HZ = 200  # several times the fastest wobble simulated (12 Hz), so a step never jumps over a peak
KMH = 1.0 / 3.6  # metres per second in one km/h
PULSE_SECONDS = 0.10  # length of a car-to-car crash pulse; published barrier and car tests lie at 80-120 ms


def clock(duration_seconds: float) -> Series:
    """The simulation times of a clip, with one second of run-out so that the last frame can be interpolated."""
    return np.arange(round((duration_seconds + 1.0) * STEP_HZ) + 1, dtype=np.float64) / STEP_HZ


def speed_profile(times: Series, knots: list[tuple[float, float]]) -> Series:
    """Speed that runs straight between knots of (seconds, m/s) and stays at its ends; never negative."""
    at, speed = zip(*sorted(knots), strict=True)
    return np.asarray(np.maximum(np.interp(times, at, speed), 0.0), dtype=np.float64)


def travelled(speed: Series) -> Series:
    """Distance covered since the start (trapezoid rule)."""
    steps = (speed[1:] + speed[:-1]) * (0.5 / STEP_HZ)
    return np.concatenate([np.zeros(1), np.cumsum(steps)])


def value_at(times: Series, values: Series, at: float) -> float:
    return float(np.interp(at, times, values))


def stop_knots(*, at: float, speed: float, deceleration: float) -> list[tuple[float, float]]:
    """Knots of braking to a stand from `speed` at `at`."""
    return [(at, speed), (at + max(speed, 0.0) / deceleration, 0.0)]


def acceleration(speed: Series) -> Series:
    return np.gradient(speed, 1.0 / STEP_HZ)


def pulse(times: Series, *, at: float, change: float, length: float = PULSE_SECONDS) -> Series:
    """A half-sine acceleration that starts at `at` and changes a speed by `change` in all."""
    phase = (times - at) / length
    shape = np.where((phase >= 0) & (phase <= 1), np.sin(np.pi * np.clip(phase, 0, 1)), 0.0)
    return shape * (change * np.pi / (2.0 * length))


def damped_response(force: Series, *, hertz: float, damping: float) -> Series:
    """A spring-mass-damper that follows `force` (unit gain at rest): how a body or a camera mount moves."""
    omega = 2.0 * np.pi * hertz
    ringing = omega * np.sqrt(1.0 - damping**2)
    span = np.arange(0.0, min(4.0 / (damping * omega), 4.0), 1.0 / STEP_HZ)
    kernel = omega**2 / ringing * np.exp(-damping * omega * span) * np.sin(ringing * span) / STEP_HZ
    return np.convolve(force, kernel)[: len(force)]


def smooth_noise(rng: np.random.Generator, count: int, *, low_hz: float, high_hz: float) -> Series:
    """Noise of unit variance whose power lies between two frequencies."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1.0 / STEP_HZ)
    spectrum *= 1.0 / (1.0 + (hertz / high_hz) ** 4) * (1.0 - 1.0 / (1.0 + (hertz / low_hz) ** 4))
    noise = np.fft.irfft(spectrum, count)
    spread = float(noise.std())
    return np.asarray(noise / spread if spread > 0 else noise, dtype=np.float64)


def smooth_step(times: Series, *, start: float, end: float) -> Series:
    """Rises from 0 to 1 between two times without a kink."""
    share = np.clip((times - start) / (end - start), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), dtype=np.float64)


def smoothed(values: Series, span_seconds: float) -> Series:
    """A running mean under a bell as wide as the span, ends held."""
    half = round(span_seconds * STEP_HZ / 2)
    bell = np.hanning(2 * half + 3)[1:-1]
    return np.convolve(np.pad(values, half, mode="edge"), bell / bell.sum(), mode="valid")
