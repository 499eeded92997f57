"""What the dashcam's microphone hears: engine, tyres and wind with speed, horns, squealing tyres, bangs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.drive import Bang, Drive
from aiassist.rendering.kinematics import Series
from aiassist.rendering.scenario import ClipSpec, Lighting

SAMPLE_HZ = 44_100
LONGEST_NOISE = 1 << 20  # 24 seconds; longer clips repeat their hiss, which keeps memory bounded
# Cabins, microphones and what is struck differ: equal crashes are heard within about 3 dB of each other.
BANG_SPREAD = 0.3
Sound = NDArray[np.float32]


def drive_sound(spec: ClipSpec, drive: Drive) -> Sound:
    """The sound of a drive, mono, within -1 and 1, as long as the clip."""
    count = round(spec.frame_count / spec.fps * SAMPLE_HZ)
    seconds = np.arange(count, dtype=np.float64) / SAMPLE_HZ
    speed = np.interp(seconds, drive.times, drive.speed)
    rng = np.random.default_rng([spec.seed, 6])
    total = _engine(rng, speed) + _rolling(rng, speed)
    total += 0.004 * rng.standard_normal(count)
    if spec.lighting is Lighting.RAIN:
        total += 0.03 * _band(rng, count, 800.0, 9000.0)
    for at, length in drive.horns:
        _add(total, at, _horn(rng, length))
    for start, end in drive.skids:
        _add(total, start, _screech(rng, max(end - start, 0.15)))
    cabin = float(np.exp(np.random.default_rng([spec.seed, 9]).normal(0.0, BANG_SPREAD)))
    for bang in drive.bangs:
        _add(total, bang.at, cabin * _bang(rng, bang))
    return np.asarray(np.tanh(1.3 * total) / 1.3, dtype=np.float32)


def _add(total: Series, at: float, part: Series) -> None:
    """Mixes a sound in at a time, in place; what hangs over either end is lost."""
    first = round(at * SAMPLE_HZ)
    skipped = max(0, -first)
    length = min(len(part) - skipped, len(total) - max(first, 0))
    if length > 0:
        total[max(first, 0) : max(first, 0) + length] += part[skipped : skipped + length]


def _band(rng: np.random.Generator, count: int, low_hz: float, high_hz: float) -> Series:
    """Noise of unit spread inside a band."""
    size = min(1 << max(10, int(np.ceil(np.log2(max(count, 2))))), LONGEST_NOISE)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hertz = np.fft.rfftfreq(size, 1.0 / SAMPLE_HZ)
    spectrum *= 1.0 / (1.0 + (hertz / high_hz) ** 6)
    spectrum[1:] *= 1.0 / (1.0 + (low_hz / hertz[1:]) ** 6)
    noise = np.resize(np.fft.irfft(spectrum, size), count)  # what the transform gives repeats without a seam
    return np.asarray(noise / (noise.std() + 1e-9), dtype=np.float64)


def _engine(rng: np.random.Generator, speed: Series) -> Series:
    """Harmonics of the firing frequency; the gears keep it between idling and about 2,600 revolutions a minute."""
    gears = np.array([4.2, 8.0, 12.5, 18.0, 27.0])
    gear = gears[np.minimum(np.searchsorted(gears, speed), len(gears) - 1)]
    turns = 780.0 + 1500.0 * np.clip(speed / gear, 0.0, 1.5)
    kernel = np.ones(4410) / 4410.0  # a tenth of a second: the revolutions cannot jump at a gear change
    padded = np.pad(turns, (2205, 2204), mode="edge")
    turns = np.convolve(padded[::21], kernel[::21] * 21.0, mode="same")
    firing = np.interp(np.arange(len(speed)) + 2205, np.arange(len(turns)) * 21, turns) / 30.0
    phase = 2.0 * np.pi * np.cumsum(firing) / SAMPLE_HZ
    tone = sum(float(rng.uniform(0.5, 1.0)) / (order**1.2) * np.sin(order * phase) for order in (1, 2, 3, 4, 6))
    return np.asarray(0.022 * tone * (1.0 + speed / 30.0), dtype=np.float64)


def _rolling(rng: np.random.Generator, speed: Series) -> Series:
    level = np.clip(speed / 25.0, 0.0, 1.8) ** 1.5
    tyres, wind = _band(rng, len(speed), 90.0, 900.0), _band(rng, len(speed), 300.0, 3000.0)
    return np.asarray(0.035 * level * tyres + 0.012 * level * level * wind, dtype=np.float64)


def _fade(count: int, rise_s: float, fall_s: float) -> Series:
    seconds = np.arange(count) / SAMPLE_HZ
    return np.clip(seconds / rise_s, 0, 1) * np.clip((count / SAMPLE_HZ - seconds) / fall_s, 0, 1)


def _horn(rng: np.random.Generator, length: float) -> Series:
    """Two tones about a major third apart with strong harmonics, as car horns are tuned."""
    count = round(length * SAMPLE_HZ)
    seconds = np.arange(count) / SAMPLE_HZ
    low = float(rng.uniform(350.0, 440.0))
    tone = np.zeros(count)
    for base in (low, low * float(rng.uniform(1.18, 1.27))):
        for order in range(1, 9):
            tone += np.sin(2 * np.pi * base * order * seconds + float(rng.uniform(0, 6.28))) / order**0.9
    return np.asarray(float(rng.uniform(0.08, 0.16)) * tone * _fade(count, 0.02, 0.06), dtype=np.float64)


def _screech(rng: np.random.Generator, length: float) -> Series:
    """Squealing tyres: a narrow band that wavers, with a second one above it."""
    count = round(length * SAMPLE_HZ)
    centre = float(rng.uniform(900.0, 1500.0))
    squeal = _band(rng, count, centre * 0.93, centre * 1.07) + 0.5 * _band(rng, count, centre * 1.9, centre * 2.15)
    rough = 0.3 * _band(rng, count, 500.0, 3500.0)
    return np.asarray(float(rng.uniform(0.10, 0.18)) * (squeal + rough) * _fade(count, 0.05, 0.08), dtype=np.float64)


def _bang(rng: np.random.Generator, bang: Bang) -> Series:
    """An impact: a broad crack, a thump of the body, and parts that rattle; `deep` leaves only the thump."""
    count = round(0.9 * SAMPLE_HZ)
    seconds = np.arange(count) / SAMPLE_HZ
    thump = np.sin(2 * np.pi * float(rng.uniform(45.0, 75.0)) * seconds) * np.exp(-seconds / 0.09)
    thump += 0.6 * _band(rng, count, 40.0, 260.0) * np.exp(-seconds / 0.07)
    if bang.deep:
        return np.asarray(bang.loudness * thump, dtype=np.float64)
    crack = rng.standard_normal(count) * np.exp(-seconds / 0.035)
    crunch = _band(rng, count, 700.0, 6000.0) * np.exp(-seconds / float(rng.uniform(0.10, 0.22)))
    rattle = _band(rng, count, 2500.0, 9000.0) * (rng.random(count) < 0.25) * np.exp(-seconds / 0.3)
    return np.asarray(bang.loudness * (0.6 * crack + 0.7 * thump + 0.45 * crunch + 0.12 * rattle), dtype=np.float64)


def tone(count: int) -> Sound:
    """The 1 kHz line-up tone of a test card."""
    return np.asarray(0.1 * np.sin(2 * np.pi * 1000.0 * np.arange(count) / SAMPLE_HZ), dtype=np.float32)
