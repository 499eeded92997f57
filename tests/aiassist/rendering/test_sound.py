"""The microphone: bangs at the impact, horns with tones, squealing tyres, nothing where nothing happens."""

from __future__ import annotations

import numpy as np
import pytest

from aiassist.rendering.film import film_sound, truth_of
from aiassist.rendering.scenario import ClipKind, ClipSpec
from aiassist.rendering.sound import SAMPLE_HZ, Sound


def heard(spec: ClipSpec) -> Sound:
    sound = film_sound(spec)
    assert sound is not None
    assert np.abs(sound).max() <= 1.0
    return sound


def loudness(sound: Sound, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(sound[round(start * SAMPLE_HZ) : round(end * SAMPLE_HZ)] ** 2)))


def test_drive_sound_bangs_at_the_impact_and_louder_with_delta_v() -> None:
    peaks = []
    for delta_v in (5.0, 15.0, 40.0):
        sound = heard(ClipSpec(ClipKind.REAR_END, 3, delta_v_kmh=delta_v, duration_seconds=6.0, event_seconds=3.0))
        peaks.append(loudness(sound, 3.0, 3.15))
        assert peaks[-1] > 2.0 * loudness(sound, 0.5, 1.5)
        assert int(np.argmax(np.abs(sound))) / SAMPLE_HZ == pytest.approx(3.05, abs=0.1)
    assert peaks == sorted(peaks)


def test_drive_sound_of_a_calm_drive_has_no_bang() -> None:
    sound = heard(ClipSpec(ClipKind.CALM, 3, duration_seconds=6.0))
    parts = [loudness(sound, at / 10, at / 10 + 0.1) for at in range(60)]
    assert max(parts) < 1.6 * float(np.median(parts))


def test_drive_sound_of_a_horn_is_tonal() -> None:
    spec = ClipSpec(ClipKind.HORN_ONLY, 3, duration_seconds=6.0, event_seconds=3.0)
    assert truth_of(spec).horn_seconds == (3.0,)
    sound = heard(spec)

    def tonality(start: float) -> float:
        part = sound[round(start * SAMPLE_HZ) : round((start + 0.4) * SAMPLE_HZ)]
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
        hertz = np.fft.rfftfreq(len(part), 1 / SAMPLE_HZ)
        band = power[(hertz > 300) & (hertz < 3000)]
        return float(np.sort(band)[-20:].sum() / band.sum())

    assert tonality(3.05) > 0.7 > 0.4 > tonality(1.0)


def test_drive_sound_follows_the_speed() -> None:
    slow, fast = (heard(ClipSpec(ClipKind.CALM, 3, duration_seconds=3.0, speed_kmh=speed)) for speed in (20.0, 120.0))
    assert loudness(fast, 0.5, 2.5) > 2.0 * loudness(slow, 0.5, 2.5)
