"""What can be heard: bangs, horns and screeching tyres, from the sound's spectrum over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.video.robust import Array, robust_z
from aiassist.video.sound import SAMPLE_RATE

WINDOW = 1024  # 64 ms: 15.6 Hz per bin separates the harmonics of a horn
HOP = 256  # 16 ms: half a picture
HOP_SECONDS = HOP / SAMPLE_RATE
BLOCK_HOPS = 4096
# A microphone's hiss is about -70 dBFS; what stays below is silence (a muted track has exact zeros).
SILENCE_RMS = 10 ** (-70 / 20)


@dataclass(frozen=True)
class Sound:
    """Sound over time, one value per hop of 16 ms; `seconds` is the middle of each window."""

    seconds: Array
    rms: Array
    rms_z: Array
    flux: Array
    flux_z: Array
    spectrum: NDArray[np.float16]  # hops x 513 bins, log10 of magnitude


def analyse_sound(samples: NDArray[np.int16]) -> Sound | None:
    """Measures a track; None when there is none or it is silent throughout."""
    hops = (samples.size - WINDOW) // HOP + 1
    if hops < 8:
        return None
    rms, flux, spectrum = _spectra(samples, hops)
    if float(rms.max()) < SILENCE_RMS:
        return None
    seconds = (np.arange(hops) * HOP + WINDOW / 2) / SAMPLE_RATE
    loudness = np.log10(np.maximum(rms, SILENCE_RMS))
    return Sound(
        seconds=seconds,
        rms=rms,
        # Loudness is judged in decades (20 dB each): 0.1 is 2 dB, less than the unrest of a calm drive.
        rms_z=robust_z(loudness, floor=0.1),
        flux=flux,
        flux_z=robust_z(flux, floor=0.02),
        spectrum=spectrum,
    )


def _spectra(samples: NDArray[np.int16], hops: int) -> tuple[Array, Array, NDArray[np.float16]]:
    """RMS, positive spectral change and log spectrum per hop, in blocks so that an hour of sound stays small."""
    taper = np.hanning(WINDOW)
    rms, flux, spectra = np.zeros(hops), np.zeros(hops), np.zeros((hops, WINDOW // 2 + 1), np.float16)
    before: Array | None = None
    for first in range(0, hops, BLOCK_HOPS):
        last = min(first + BLOCK_HOPS, hops)
        part = samples[first * HOP : (last - 1) * HOP + WINDOW].astype(np.float64) / 32768.0
        windows = np.lib.stride_tricks.sliding_window_view(part, WINDOW)[::HOP]
        rms[first:last] = np.sqrt((windows**2).mean(axis=1))
        decades = np.log10(np.abs(np.fft.rfft(windows * taper, axis=1)) + 1e-3)
        joined = np.vstack([decades[:1] if before is None else before, decades])
        flux[first:last] = np.maximum(np.diff(joined, axis=0), 0.0).mean(axis=1)
        before = decades[-1:]
        spectra[first:last] = decades
    return rms, flux, spectra
