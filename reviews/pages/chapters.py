"""Hazards as WebVTT chapters, so that the player's own menu can jump to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from claims.words import code_words


def chapters_vtt(hazards: Iterable[dict[str, Any]]) -> str:
    """Return a WebVTT file with one chapter per hazard, in order."""
    cues = []
    for hazard in sorted(hazards, key=lambda h: (h["start_seconds"], h["end_seconds"])):
        start = hazard["start_seconds"]
        end = max(hazard["end_seconds"], start + 0.1)  # a cue that ends where it starts is no cue
        cues.append(f"{_stamp(start)} --> {_stamp(end)}\n{code_words(hazard['kind'])}\n")
    return "WEBVTT\n\n" + "\n".join(cues)


def _stamp(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
