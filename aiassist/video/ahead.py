"""Lets a slow source work while its reader works: decoding and measuring run side by side. Runs in the child."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

# Both sides work on a few items in a row: taken one by one, the two threads wake each other for every picture and find
# the processor's caches emptied by the decoder each time.
BATCH = 3
# Each item in waiting holds a whole decoded picture: 3 MB at 1080p, 14 MB at 4K.
DEPTH = 2


@dataclass
class _Batch(Generic[Item]):
    """Items in a row, what ended them, and whether the source is at its end."""

    items: deque[Item] = field(default_factory=deque)
    error: Exception | None = None
    last: bool = False


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yields the items in their order, the next few already being made in another thread; errors come where they fell.

    The thread is gone when this ends or is closed.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="decode")
    try:
        coming = deque(pool.submit(_next_of, items) for _ in range(DEPTH))
        while True:
            batch = coming.popleft().result()
            if not batch.last:
                coming.append(pool.submit(_next_of, items))
            while batch.items:
                yield batch.items.popleft()
            if batch.error is not None:
                raise batch.error
            if batch.last:
                return
    finally:
        pool.shutdown(cancel_futures=True)


def _next_of(items: Iterator[Item]) -> _Batch[Item]:
    """The next few items; what comes before an error is kept."""
    batch: _Batch[Item] = _Batch()
    try:
        for _ in range(BATCH):
            batch.items.append(next(items))
    except StopIteration:
        batch.last = True
    except Exception as problem:  # raised again by the reader, behind the items before it
        batch.error, batch.last = problem, True
    return batch
