"""What is done in place of what is away. Registered by its owner, noted when it is used."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.utils import timezone

from observability import metrics
from observability.degradation import Part


class FallbackKind(TextChoices):
    """`STATIC`: a fixed outcome. `CACHED`: an answer from before. `FUNCTION`: another way to the answer."""

    STATIC = "STATIC", "Static"
    CACHED = "CACHED", "Cached"
    FUNCTION = "FUNCTION", "Function"


@dataclass(frozen=True)
class Fallback:
    """`words` say what happens instead."""

    name: str
    kind: FallbackKind
    part: Part
    words: str


@dataclass(frozen=True)
class FallbackUse:
    """How often this process used it, and when last; the metric counts all processes."""

    fallback: Fallback
    used: int
    used_at: datetime | None


_registered: dict[str, Fallback] = {}
_uses: dict[str, tuple[int, datetime]] = {}
_lock = threading.Lock()


def register_fallback(fallback: Fallback) -> None:
    """Make a fallback known; called once when the owner's app starts."""
    _registered[fallback.name] = fallback


def note_fallback(name: str) -> None:
    """Count one use; the name is a registered one."""
    assert name in _registered, name
    metrics.FALLBACKS_USED.labels(fallback=name).inc()
    with _lock:
        count, _ = _uses.get(name, (0, None))
        _uses[name] = (count + 1, timezone.now())


def fallback_uses() -> list[FallbackUse]:
    """Return all fallbacks by name with their use in this process."""
    found = []
    for name, fallback in sorted(_registered.items()):
        used, used_at = _uses.get(name, (0, None))
        found.append(FallbackUse(fallback, used, used_at))
    return found
