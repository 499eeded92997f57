"""Reads what stands around an answer in both protocols; a server's words are hostile input."""

from __future__ import annotations

MAX_MODEL_NAME = 120  # what an assessment can store


def served_model(name: object, *, configured: str) -> str:
    """Return the model that the server says it used, where that can be stored and shown; else the configured one."""
    usable = isinstance(name, str) and 0 < len(name) <= MAX_MODEL_NAME and name.isprintable()
    return str(name) if usable else configured


def token_count(usage: object, key: str) -> int:
    """Return a count from the envelope's usage, 0 where it says nothing usable."""
    count = usage.get(key) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0
