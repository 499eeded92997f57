"""Limits of what people send from forms, counted by django-ratelimit; the one file that knows that library.

Its windows are fixed, so up to twice the number passes across an edge: enough for forms and for slowing down guesses.
What the API promises is kept by `tenancy/ratelimits`.
"""

from __future__ import annotations

import redis
from django_ratelimit.core import get_usage
from django_redis.exceptions import ConnectionInterrupted

from tenancy.ratelimits.window import Rate


class CounterAway(Exception):
    """The counts cannot be reached, so nothing is known."""


def count_attempt(*, group: str, value: str, rate: Rate) -> int | None:
    """Count one attempt of the value (who or what is counted); return None while it fits, else seconds to wait.

    Raises CounterAway.
    """
    try:
        usage = get_usage(None, group, key=lambda _g, _r: value, rate=(rate.count, rate.seconds), increment=True)
    except (ConnectionInterrupted, redis.RedisError, OSError) as error:
        raise CounterAway(type(error).__name__) from error
    if usage is None or not usage["limit"]:  # how the library says that its cache gave no answer
        raise CounterAway("no_count")
    return max(1, usage["time_left"]) if usage["should_limit"] else None
