"""The sound of a long clip, minute by minute: an hour at once would not fit the child's memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aiassist.video.audio import Sound, analyse_sound
from aiassist.video.events import Event
from aiassist.video.heard import bang_strength, heard_events
from aiassist.video.robust import Array
from aiassist.video.sound import SAMPLE_RATE

BLOCK_SECONDS = 60.0
# A block begins early, because nothing is known about the usual level at its start, and ends late for what runs on.
EARLY_SECONDS, LATE_SECONDS = 2.0, 2.0


@dataclass(frozen=True)
class Hearing:
    """Everything heard in a clip; arrays have one value per 16 ms of what is audible."""

    events: list[Event]
    seconds: Array
    rms_z: Array
    flux_z: Array
    bang: Array

    @property
    def audible(self) -> bool:
        return bool(self.seconds.size)


def hear(samples: NDArray[np.int16]) -> Hearing:
    """Measures the whole track in overlapping blocks; each event and value comes from one block only."""
    events: list[Event] = []
    parts: list[tuple[Array, Array, Array, Array]] = []
    length = samples.size / SAMPLE_RATE
    for number in range(int(np.ceil(length / BLOCK_SECONDS))):
        start, end = number * BLOCK_SECONDS, (number + 1) * BLOCK_SECONDS
        first = max(0.0, start - EARLY_SECONDS)
        sound = analyse_sound(samples[int(first * SAMPLE_RATE) : int((end + LATE_SECONDS) * SAMPLE_RATE)])
        if sound is None:
            continue
        events += [
            moved for event in heard_events(sound) if start <= (moved := later(event, first)).start_seconds < end
        ]
        parts.append(_values(sound, first, start, end))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0)] * 4
    return Hearing(events, *columns)


def _values(sound: Sound, first: float, start: float, end: float) -> tuple[Array, Array, Array, Array]:
    seconds = sound.seconds + first
    inside = (seconds >= start) & (seconds < end)
    return seconds[inside], sound.rms_z[inside], sound.flux_z[inside], bang_strength(sound)[inside]


def later(event: Event, seconds: float) -> Event:
    """The event on a clock that began so many seconds earlier."""
    return replace(
        event,
        start_seconds=event.start_seconds + seconds,
        end_seconds=event.end_seconds + seconds,
        peak_seconds=event.peak_seconds + seconds,
    )
