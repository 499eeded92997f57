"""This floor's managed dependencies: broker, cache and file storage, and what is done while they are away."""

from __future__ import annotations

from django.core.cache import cache
from django.utils import timezone

from observability.broker import broker_problem
from observability.caching import COMPUTED_ANEW
from observability.degradation import Part
from observability.fallbacks import Fallback, FallbackKind, register_fallback
from observability.guarding import BROKER, CACHE, STORAGE, Watched, register_watched
from observability.health import storage_problem
from observability.metrics import SERVICE_LEVEL, register_scrape_source
from observability.service_level import level_reading

STAYS_PENDING = "job-stays-pending"
WATCH_SECONDS = 2.0


def cache_problem() -> str:
    """Return why the cache cannot be used: what was written must be read again."""
    stamp = timezone.now().isoformat()
    cache.set("health-probe", stamp, timeout=30)
    return "" if cache.get("health-probe") == stamp else "value_lost"


def register_managers() -> None:
    register_scrape_source(SERVICE_LEVEL, level_reading)
    register_watched(Watched(BROKER, broker_problem), Part.BROKER)
    register_watched(Watched(CACHE, cache_problem), Part.CACHE)
    register_watched(Watched(STORAGE, storage_problem), Part.STORAGE)
    register_fallback(
        Fallback(
            STAYS_PENDING,
            FallbackKind.STATIC,
            Part.BROKER,
            "The job's row waits; the sweeper wakes a worker when the broker is back.",
        )
    )
    register_fallback(
        Fallback(COMPUTED_ANEW, FallbackKind.FUNCTION, Part.CACHE, "What is usually cached is asked of the database.")
    )
