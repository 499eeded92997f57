"""Small clips that the tests of the renderer share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.scenario import ClipKind, ClipSpec

# fps 10 keeps them fast; what needs more asks for more.
SMALL = ClipSpec(ClipKind.CALM, 7, width=320, height=180, fps=10, duration_seconds=2.0, event_seconds=1.2)


def small(kind: ClipKind, **changes: object) -> ClipSpec:
    """A clip of two seconds in 320 by 180."""
    return replace(SMALL, kind=kind, **changes)  # type: ignore[arg-type]  # field names are checked at run time


@dataclass(frozen=True)
class Played:
    """What a player finds in a file."""

    frames: list[NDArray[np.uint8]]
    fps: Fraction
    keyframes: int
    codec: str
    sound: NDArray[np.float32] | None
    sound_codec: str | None


def played(path: Path) -> Played:
    """Decodes a whole file."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames, keyframes = [], 0
        for frame in container.decode(video):
            frames.append(np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8))
            keyframes += frame.key_frame
        fps, codec = Fraction(video.average_rate or 0), video.codec_context.name
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return Played(frames, fps, keyframes, codec, None, None)
        audio = container.streams.audio[0]
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio)])
        return Played(frames, fps, keyframes, codec, sound, audio.codec_context.name)
