"""The caches, counted and timed; inside a traced request or job each use is a span. Keys and values stay out of both.

While Redis is away a forgiving cache is simply empty: what is asked for is not there and nothing is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache as DjangoRedisCache
from redis.exceptions import RedisError

from observability import metrics
from observability.tracing import is_inside_a_span, store_span

log = structlog.get_logger(__name__)
T = TypeVar("T")

_ABSENT = object()


class _Counted:
    """One use of a cache: its verb, how it ended (hit, miss, ok, failed) and how long it took."""

    system = "cache"
    forgives = False

    def _use(self, operation: str, call: Callable[[], T], when_away: T) -> T:
        if not is_inside_a_span():
            return self._count(operation, call, when_away)
        attributes = {"db.system.name": self.system, "db.operation.name": operation.upper()}
        with store_span(f"cache {operation}", attributes):
            return self._count(operation, call, when_away)

    def _count(self, operation: str, call: Callable[[], T], when_away: T) -> T:
        started = time.perf_counter()
        outcome = "failed"
        try:
            found = call()
            outcome = "ok" if operation != "get" else "miss" if found is _ABSENT else "hit"
        except (RedisError, OSError) as error:
            if not self.forgives:
                raise
            log.warning("cache_away", operation=operation, error=type(error).__name__)
            return when_away
        finally:
            metrics.CACHE_OPERATIONS.labels(operation=operation, outcome=outcome).inc()
            metrics.CACHE_SECONDS.labels(operation=operation).observe(time.perf_counter() - started)
        return found


class LocalCache(_Counted, LocMemCache):
    """The memory of this process."""

    system = "memory"

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        found = self._use("get", lambda: super(LocalCache, self).get(key, _ABSENT, version), _ABSENT)
        return default if found is _ABSENT else found

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        self._use("set", lambda: super(LocalCache, self).set(key, value, *args, **kwargs), None)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._use("delete", lambda: super(LocalCache, self).delete(key, version), when_away=False)


class RedisCache(_Counted, DjangoRedisCache):  # type: ignore[misc]  # the library has no types
    """Redis. With IGNORE_EXCEPTIONS among its options it forgives that the server is away."""

    system = "redis"

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # The library would swallow what we want to count.
        self.forgives = bool(params.get("OPTIONS", {}).get("IGNORE_EXCEPTIONS"))
        self._ignore_exceptions = False

    def get(self, key: Any, default: Any = None, version: int | None = None, client: Any = None) -> Any:
        found = self._use("get", lambda: super(RedisCache, self).get(key, _ABSENT, version, client), _ABSENT)
        return default if found is _ABSENT else found

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._use("set", lambda: super(RedisCache, self).set(*args, **kwargs), when_away=False)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._use("add", lambda: super(RedisCache, self).add(*args, **kwargs), when_away=False)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._use("delete", lambda: super(RedisCache, self).delete(*args, **kwargs), when_away=False)
