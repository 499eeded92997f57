"""How often a kind of job is tried, and how long it rests between two tries."""

from __future__ import annotations

import random
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class RetryPolicy:
    """`jitter` is the share of a pause that is left to chance: 1 is "full jitter", 0 none.

    The pause before the second try is at most `base_seconds`, doubles with every further one and stops at the cap
    (AWS architecture blog, "Exponential backoff and jitter").
    """

    attempts: int
    base_seconds: float
    cap_seconds: float
    jitter: float

    def pause_seconds(self, attempt: int) -> float:
        """Return how long to wait after the given failed attempt (1 is the first)."""
        longest: float = min(self.cap_seconds, self.base_seconds * 2.0 ** min(attempt - 1, 30))
        return longest - random.uniform(0.0, longest * self.jitter)  # noqa: S311  # jitter, not a secret


def policy_for(kind: str) -> RetryPolicy:
    """Return the policy of a kind of job: its own from `JOB_RETRIES`, else the default one."""
    return RetryPolicy(*settings.JOB_RETRIES.get(kind, settings.JOB_RETRY_DEFAULT))
