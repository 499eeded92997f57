"""Values that may be a few seconds old, and that are worked out anew while the cache is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

from observability.degradation import Trouble
from observability.fallbacks import note_fallback
from observability.service_level import current_standing

COMPUTED_ANEW = "computed-anew"

Value = TypeVar("Value")


def remembered(key: str, compute: Callable[[], Value], *, seconds: int) -> Value:
    """Return the cached value, at most so old. A cache that hangs is left alone: each try would cost half a second."""
    if any(rule.trouble == Trouble.CACHE_AWAY for rule in current_standing().rules):
        note_fallback(COMPUTED_ANEW)
        return compute()
    value: Value | None = cache.get(key)
    if value is None:
        value = compute()
        cache.set(key, value, seconds)
    return value
