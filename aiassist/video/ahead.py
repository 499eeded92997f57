"""Lets a slow source work while its reader works: decoding and measuring run side by side. Runs in the child."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")

# Both sides work on a few items in a row: taken one by one, the two threads wake each other for every picture and find
# the processor's caches emptied by the decoder each time.
BATCH = 3
# Each item in waiting holds a whole decoded picture: 3 MB at 1080p, 14 MB at 4K.
DEPTH = 2


@dataclass
class _Batch(Generic[Item]):
    """Items in a row, and whether the source is at its end."""

    items: deque[Item] = field(default_factory=deque)
    last: bool = False


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yields the items in their order, the next few already being made in another thread; errors come where they fell.

    The thread is gone when this ends or is closed.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="decode")

    def begun() -> tuple[_Batch[Item], Future[None]]:
        batch: _Batch[Item] = _Batch()
        return batch, pool.submit(_fill, batch, items)

    try:
        coming = deque(begun() for _ in range(DEPTH))
        while True:
            batch, filled = coming.popleft()
            error = filled.exception()  # waits; what came before it is in the batch
            if error is None and not batch.last:
                coming.append(begun())
            while batch.items:
                yield batch.items.popleft()
            if error is not None:
                raise error
            if batch.last:
                return
    finally:
        pool.shutdown(cancel_futures=True)


def _fill(batch: _Batch[Item], items: Iterator[Item]) -> None:
    """Put the next few items into the batch."""
    for item in islice(items, BATCH):
        batch.items.append(item)
    batch.last = len(batch.items) < BATCH
