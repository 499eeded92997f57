"""A cache of counts in the database, atomic on both engines: django-ratelimit counts in it where there is no Redis."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from tenancy.models import CountedKey

# A count without an expiry would never be swept.
_LONGEST_SECONDS = 30 * 86_400


class CountCache(BaseCache):
    """Django's cache interface for whole numbers: `add` inserts once, `incr` is one conditional update.

    Django's own database cache reads and then writes, so counts of two processes are lost in each other (E003).
    """

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name, now = self.make_and_validate_key(key, version=version), timezone.now()
        if CountedKey.objects.filter(key=name, expires_at__gt=now).exists():
            return False
        CountedKey.objects.filter(key=name, expires_at__lte=now).delete()
        try:
            with transaction.atomic():
                CountedKey.objects.create(key=name, count=_whole(value), expires_at=self._expiry(timeout, now))
        except IntegrityError:
            return False  # another one added it at the same moment
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        name = self.make_and_validate_key(key, version=version)
        found = CountedKey.objects.filter(key=name, expires_at__gt=timezone.now()).values_list("count", flat=True)
        count = found.first()
        return default if count is None else count

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        name = self.make_and_validate_key(key, version=version)
        columns = {"count": _whole(value), "expires_at": self._expiry(timeout, timezone.now())}
        CountedKey.objects.update_or_create(key=name, defaults=columns)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a count and return it; raises ValueError when there is none."""
        name = self.make_and_validate_key(key, version=version)
        with transaction.atomic():  # the update's row lock lasts until our own sum is read
            live = CountedKey.objects.filter(key=name, expires_at__gt=timezone.now())
            if not live.update(count=F("count") + delta):
                raise ValueError(f"Key {key!r} not found")
            return int(CountedKey.objects.values_list("count", flat=True).get(key=name))

    def delete(self, key: str, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version=version)
        deleted, _ = CountedKey.objects.filter(key=name).delete()
        return bool(deleted)

    def clear(self) -> None:
        CountedKey.objects.all().delete()

    def _expiry(self, timeout: Any, now: datetime) -> datetime:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return now + timedelta(seconds=_LONGEST_SECONDS if seconds is None else min(seconds, _LONGEST_SECONDS))


def purge_expired_counts(*, now: datetime) -> int:
    """Delete counts that are over; return how many (a timer calls this)."""
    deleted, _ = CountedKey.objects.filter(expires_at__lt=now).delete()
    return int(deleted)


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("This cache holds whole numbers only.")
    return value
