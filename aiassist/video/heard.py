"""Bangs, horns and screeching tyres in a measured sound track."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from aiassist.types import EvidenceStage, HazardKind
from aiassist.video.audio import HOP_SECONDS, WINDOW, Sound
from aiassist.video.events import Event, score_from
from aiassist.video.robust import Array, runs, smooth
from aiassist.video.sound import SAMPLE_RATE

BIN_HZ = SAMPLE_RATE / WINDOW
# Car horns sound at 300–550 Hz (UN Regulation 28 asks for 1,050 Hz loudness bands, makers tune two tones near 400 and
# 500 Hz); with their lower and upper variants 280–700 Hz.
HORN_HZ = (280.0, 700.0)
HORN_PROMINENCE = 0.75  # decades over the spectrum around: 15 dB
HORN_HARMONIC_PROMINENCE = 0.4
HORN_SECONDS = 0.3
# Sliding tyres squeal and hiss at 0.8–4 kHz; the engine and the road lie below 500 Hz.
SKID_HZ = (800.0, 4000.0)
LOW_HZ = (60.0, 500.0)
SKID_RISE = 0.45  # decades over the clip's median: 9 dB
SKID_SECONDS = 0.25
# A bang is loud at once and in every band: decades over the half second before, and the share of bands that rise.
BANG_RISE = 0.45
BANG_BAND_SHARE = 0.55
BAND_RISE = 0.3
# The four bands under 350 Hz: a thump has them, a horn (from 400 Hz) and sliding rubber have not.
LOW_BANDS, BANG_LOW_RISE = 4, 0.3
# The bands over 700 Hz: metal and glass have them, a pothole or a slammed door hardly.
HIGH_BANDS = 6
# Encoders and microphones start with a click; nothing is known yet about the usual level.
FIRST_SECONDS = 0.4
BEFORE_SECONDS = 0.5


def heard_events(sound: Sound) -> list[Event]:
    """Everything heard, in order of time."""
    found = [*bangs(sound), *horns(sound), *skids(sound)]
    return sorted(found, key=lambda event: (event.start_seconds, event.kind))


def bang_strength(sound: Sound) -> Array:
    """Per hop: how far the loudness, most bands and the low bands rise over the half second before, in thresholds.

    The low bands tell a blow from the beginning of a horn or of a screech, which are loud above 300 Hz only.
    """
    loudness = np.log10(np.maximum(sound.rms, 1e-4))
    before = _median_before(loudness)
    rise = np.maximum(loudness - before, 0.0)
    bands = _bands(sound)
    width = _hops(BEFORE_SECONDS)
    share, low = np.zeros(loudness.size), np.zeros(loudness.size)
    for index in np.flatnonzero(rise >= 0.5 * BANG_RISE):
        if index < _hops(FIRST_SECONDS):
            continue
        change = bands[index] - np.median(bands[max(0, index - width) : max(1, index - 3)], axis=0)
        share[index] = float(np.mean(change > BAND_RISE))
        low[index] = max(float(np.median(change[:LOW_BANDS])), 0.0)
    return np.asarray(np.minimum(np.minimum(rise / BANG_RISE, share / BANG_BAND_SHARE), low / BANG_LOW_RISE))


def loudness_rise(sound: Sound) -> Array:
    """Per hop: how far the loudness rises over the half second before, in decades (20 dB each), without a ceiling."""
    loudness = np.log10(np.maximum(sound.rms, 1e-4))
    return np.asarray(np.maximum(loudness - _median_before(loudness), 0.0))


def high_rise(sound: Sound) -> Array:
    """Per hop: how far the bands over 700 Hz rise over the half second before, in decades; a dull thump has none."""
    level = _bands(sound)[:, HIGH_BANDS:].mean(axis=1)
    return np.asarray(np.maximum(level - _median_before(level), 0.0))


def bangs(sound: Sound) -> list[Event]:
    """Sudden loud noise over all bands; the start is the first hop of the rise."""
    strength = bang_strength(sound)
    events = []
    for first, last in runs(strength >= 1.0, join=_hops(0.2)):
        peak = first + int(np.argmax(strength[first : last + 1]))
        start = float(sound.seconds[first])
        value = float(strength[peak])
        events.append(
            _event(
                HazardKind.AUDIO_BANG,
                "bang",
                "bang_strength",
                value,
                start,
                float(sound.seconds[last]),
                sound.seconds[peak],
            )
        )
    return events


def horns(sound: Sound) -> list[Event]:
    """Steady tones of a horn: a narrow peak with a harmonic, on one pitch for at least 0.3 s."""
    pitch, prominence = _tones(sound.spectrum.astype(np.float64))
    steady = np.abs(np.diff(pitch, prepend=pitch[:1])) <= 1
    events = []
    for first, last in runs((prominence >= 1.0) & (pitch > 0) & steady, join=2):
        start, end = float(sound.seconds[first]), float(sound.seconds[last])
        # The window of 64 ms reaches over both ends of the tone.
        if end - start >= HORN_SECONDS - WINDOW / SAMPLE_RATE:
            value = float(np.median(prominence[first : last + 1]))
            events.append(_event(HazardKind.HORN, "horn", "tonality", value, start, end, (start + end) / 2))
    return events


def _tones(spectrum: Array) -> tuple[NDArray[np.int64], Array]:
    """Per hop: the bin of the strongest narrow peak in the horn's band, and its prominence in thresholds."""
    low, high = (int(hertz / BIN_HZ) for hertz in HORN_HZ)
    band = spectrum[:, low : high + 1]
    level = np.median(spectrum[:, max(1, low - 8) : high + 16], axis=1)
    peak = low + np.argmax(band, axis=1)
    rows = np.arange(spectrum.shape[0])
    prominence = spectrum[rows, peak] - level
    harmonic = np.full(rows.size, -np.inf)
    for multiple in (2, 3):
        centre = np.minimum(peak * multiple, spectrum.shape[1] - 12)
        around = np.stack([spectrum[rows, centre + offset] for offset in range(-10, 11)])
        harmonic = np.maximum(harmonic, around[8:13].max(axis=0) - np.median(around, axis=0))
    strength = np.minimum(prominence / HORN_PROMINENCE, harmonic / HORN_HARMONIC_PROMINENCE)
    return peak, np.maximum(strength, 0.0)


def skids(sound: Sound) -> list[Event]:
    """Tyre noise: the band of sliding rubber rises well over its usual level while the low band does not follow."""
    rise = _band_rise(sound, SKID_HZ)
    low = _band_rise(sound, LOW_HZ)
    strength = smooth(np.maximum(rise - np.maximum(low, 0.0), 0.0) / SKID_RISE, 5)
    events = []
    for first, last in runs(strength >= 1.0, join=_hops(0.1)):
        start, end = float(sound.seconds[first]), float(sound.seconds[last])
        if end - start >= SKID_SECONDS - WINDOW / SAMPLE_RATE:
            peak = first + int(np.argmax(strength[first : last + 1]))
            value = float(strength[peak])
            events.append(_event(HazardKind.SKID, "skid", "band_rise", value, start, end, sound.seconds[peak]))
    return events


def _band_rise(sound: Sound, band_hz: tuple[float, float]) -> Array:
    """Mean level of a band over its median of the whole clip, in decades."""
    low, high = (int(hertz / BIN_HZ) for hertz in band_hz)
    level = sound.spectrum[:, low:high].astype(np.float64).mean(axis=1)
    return np.asarray(level - np.median(level))


def _bands(sound: Sound) -> Array:
    """Mean level in twelve bands of equal ratio from 80 Hz to 7 kHz."""
    edges = np.unique(np.geomspace(80.0 / BIN_HZ, 7000.0 / BIN_HZ, 13).astype(int))
    levels = [sound.spectrum[:, a:b].astype(np.float64).mean(axis=1) for a, b in pairwise(edges)]
    return np.stack(levels, axis=1)


def _median_before(values: Array) -> Array:
    """Median of the half second before each hop, without the three hops that its own window touches."""
    width = _hops(BEFORE_SECONDS)
    padded = np.pad(values, (width + 3, 0), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)[: values.size]
    return np.asarray(np.median(windows, axis=1))


def _hops(seconds: float) -> int:
    return max(1, round(seconds / HOP_SECONDS))


def _event(hazard: HazardKind, kind: str, measure: str, value: float, start: float, end: float, peak: float) -> Event:
    return Event(
        hazard, EvidenceStage.AUDIO, kind, measure, value, 1.0, start, end, float(peak), score_from(value, 1.0)
    )
