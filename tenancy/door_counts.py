"""How often somebody was turned away at the doors, minute by minute, for operations: counts alone, no names."""

from __future__ import annotations

from datetime import datetime, timedelta

import redis
import structlog
from django.core.cache import caches
from django_redis.exceptions import ConnectionInterrupted

log = structlog.get_logger(__name__)

_KEPT_SECONDS = 2 * 3600
_AWAY = (ConnectionInterrupted, redis.RedisError, OSError)


def count_turned_away(*, now: datetime) -> None:
    """Count one failed or refused attempt to sign in, for all processes together; a store that is away counts nothing,
    because the door has its own count and stays shut then."""
    key, store = _key(now), caches["limits"]
    try:
        store.add(key, 0, timeout=_KEPT_SECONDS)
        store.incr(key)
    except (*_AWAY, ValueError) as error:  # ValueError: it lapsed between the two
        log.warning("door_count_away", error=type(error).__name__)


def turned_away(*, minutes: int, now: datetime) -> int | None:
    """Return how many were turned away in the last whole minutes and the present one; None when nobody can tell."""
    keys = [_key(now - timedelta(minutes=back)) for back in range(minutes + 1)]
    try:
        return sum(int(count) for count in caches["limits"].get_many(keys).values())
    except _AWAY as error:
        log.warning("door_count_away", error=type(error).__name__)
        return None


def _key(moment: datetime) -> str:
    return f"doors:{int(moment.timestamp()) // 60}"
