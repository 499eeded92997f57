"""What the worker does for this floor: nothing in the queue starves."""

from __future__ import annotations

from observability.timers import register_timer
from reviews.waiting import raise_waiting_claims

# Bounds are hours; five minutes late is on time.
_EVERY_SECONDS = 300.0

register_timer("reviews.raise_waiting_claims", _EVERY_SECONDS, raise_waiting_claims)
