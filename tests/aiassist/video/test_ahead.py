"""Reading ahead changes neither the order nor the place of an error, and leaves no thread behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from aiassist.video.ahead import BATCH, DEPTH, ahead


def counted(count: int, error: Exception | None = None) -> Iterator[int]:
    yield from range(count)
    if error is not None:
        raise error


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


@pytest.mark.parametrize("count", range(2 * BATCH * DEPTH + 2))
def test_ahead_yields_everything_in_order(count: int) -> None:
    assert list(ahead(counted(count))) == list(range(count))
    assert readers() == []


@pytest.mark.parametrize("count", range(2 * BATCH + 1))
def test_ahead_raises_an_error_behind_the_items_before_it(count: int) -> None:
    seen = []
    with pytest.raises(MemoryError, match="no room"):
        for item in ahead(counted(count, MemoryError("no room"))):
            seen.append(item)
    assert seen == list(range(count))
    assert readers() == []


def test_ahead_that_is_closed_early_makes_no_more_than_it_had_begun() -> None:
    made = []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            made.append(number)
            yield number
            number += 1

    coming = ahead(endless())
    assert next(coming) == 0
    coming.close()
    assert readers() == []
    assert len(made) <= BATCH * (DEPTH + 1)
