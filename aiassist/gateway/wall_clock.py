"""Bounds a blocking call by wall time: SDK timeouts count per read, so a dripping server would hold us for ever."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class WallClockExceeded(Exception):
    """The call did not come back in time; its thread is left alone and ends when its connection is closed."""


def call_within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` returns or raise what it raises, within `seconds`.

    Raises: WallClockExceeded. The caller must then close what the call is blocked on.
    """
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bounded-call")
    try:
        future = executor.submit(contextvars.copy_context().run, call)
        # A TimeoutError of the call itself is a result, not our clock: ask whether the call is done.
        if not _finished(future.exception, seconds):
            raise WallClockExceeded
        return future.result()
    finally:
        executor.shutdown(wait=False)


def _finished(wait: Callable[[float], object], seconds: float) -> bool:
    try:
        wait(seconds)
    except TimeoutError:
        return False
    return True
