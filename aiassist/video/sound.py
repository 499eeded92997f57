"""Collects a sound track as mono samples on the picture's clock. Runs in the child."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
# Sound that starts later or pauses longer than this is padded, so that times stay true; less is jitter of time stamps.
MAX_JITTER_SECONDS = 0.1


class SoundTrack:
    """Mono 16 kHz samples of one audio stream; `samples_from` aligns them with the first picture."""

    def __init__(self, max_seconds: float) -> None:
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        self._chunks: list[NDArray[np.int16]] = []
        self._length = 0
        self._most = int(max_seconds * SAMPLE_RATE)
        self._start_seconds: float | None = None
        self.errors = 0

    def add(self, frame: Any) -> None:
        """Takes one decoded audio frame; what the resampler cannot read is counted."""
        if self._length >= self._most:
            return
        stamp = frame.time
        if self._start_seconds is None:
            self._start_seconds = stamp if stamp is not None else 0.0
        elif stamp is not None:
            self._pad_to(stamp)
        try:
            resampled = self._resampler.resample(frame)
        except (av.error.FFmpegError, ValueError):
            self.errors += 1
            return
        for part in resampled:
            # Straight from the plane: an hour has 170,000 of these frames, and the general way costs thrice as much.
            self._chunks.append(np.frombuffer(bytes(part.planes[0]), np.int16, part.samples))
            self._length += part.samples

    def _pad_to(self, stamp: float) -> None:
        """Fills a pause in the sound with silence."""
        assert self._start_seconds is not None
        expected = int((stamp - self._start_seconds) * SAMPLE_RATE)
        missing = min(expected, self._most) - self._length
        if missing > MAX_JITTER_SECONDS * SAMPLE_RATE:
            self._chunks.append(np.zeros(missing, np.int16))
            self._length += missing

    def samples_from(self, first_picture_seconds: float) -> NDArray[np.int16]:
        """All samples, sample 0 at the time of the first picture; empty when nothing was decoded."""
        if self._start_seconds is None or not self._chunks:
            return np.zeros(0, np.int16)
        samples = np.concatenate(self._chunks)
        lead = round((self._start_seconds - first_picture_seconds) * SAMPLE_RATE)
        if lead >= 0:
            return np.concatenate([np.zeros(min(lead, self._most), np.int16), samples])
        return samples[-lead:]
