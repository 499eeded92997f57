"""The cache of counts in the database, as django-ratelimit uses it; and what that library says of the settings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from django_ratelimit.checks import check_caches

from tenancy.count_cache import CountCache, purge_expired_counts
from tenancy.models import CountedKey


@pytest.fixture
def counts(db: None) -> CountCache:
    return CountCache("", {})


def test_a_count_is_added_once_and_then_counted(counts: CountCache) -> None:
    assert counts.get("a") is None and counts.get("a", 7) == 7
    assert counts.add("a", 1, timeout=60) is True
    assert counts.add("a", 5, timeout=60) is False
    assert (counts.incr("a"), counts.incr("a", 3), counts.get("a")) == (2, 5, 5)
    counts.set("a", 9)
    assert counts.get("a") == 9
    assert (counts.delete("a"), counts.delete("a"), counts.get("a")) == (True, False, None)
    with pytest.raises(ValueError, match="not found"):
        counts.incr("a")
    with pytest.raises(TypeError):
        counts.set("a", "text")


def test_a_count_that_is_over_is_none(counts: CountCache) -> None:
    counts.add("a", 1, timeout=60)
    CountedKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert counts.get("a") is None
    with pytest.raises(ValueError, match="not found"):
        counts.incr("a")
    assert counts.add("a", 1, timeout=60) is True
    assert purge_expired_counts(now=timezone.now() + timedelta(seconds=61)) == 1


@pytest.mark.django_db(transaction=True)
def test_no_count_is_lost_and_one_of_many_adds_it() -> None:
    counts = CountCache("", {})

    def one(_number: int) -> tuple[bool, int]:
        try:
            added = counts.add("a", 0, timeout=60)
            return added, counts.incr("a")
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(one, range(64)))
    assert sum(added for added, _ in seen) == 1
    assert sorted(count for _, count in seen) == list(range(1, 65))


def test_the_checks_of_django_ratelimit_are_content(settings: LazySettings) -> None:
    """Without Redis its one word is that it does not know our cache by name, which the settings silence there."""
    found = {problem.id for problem in check_caches(None)}
    assert found == (set() if settings.CACHE_URL else {"django_ratelimit.W001"})
    assert getattr(settings, "SILENCED_SYSTEM_CHECKS", []) == sorted(found)
    settings.CACHES = {
        **settings.CACHES,
        "limits": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://x"},
    }
    assert check_caches(None) == []
