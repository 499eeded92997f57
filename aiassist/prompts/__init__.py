"""Versioned prompts: one text file per version, never edited once it was used, because its name is recorded."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def prompt_text(version: str) -> str:
    """Return the text of a prompt such as ``vision_v1``."""
    return (_FOLDER / f"{version}.txt").read_text(encoding="utf-8").strip()
