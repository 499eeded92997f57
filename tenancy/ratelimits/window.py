"""The sliding window itself: at most N in any window, whatever the timing.

A window is a short list of marks, each a time and how many requests were granted up to it. Up to 128 requests a
window each has a mark of its own, and the answer is exact. Above that the requests of one 128th of the window share a
mark that carries the newest one's time: a request may then leave the window up to that much later, never earlier.

Times are microseconds of the store's one clock. Pure; `redis_store.py` says the same in Lua, and a test compares them.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

MICROSECONDS = 1_000_000
# 2 kB a window: PostgreSQL keeps such a row in its page, and walking it costs less than sending it.
MOST_MARKS = 128
_NUMBER = "q"  # of 8 bytes, signed


@dataclass(frozen=True)
class Rate:
    """At most `count` requests in any window of `seconds`."""

    count: int
    seconds: int


@dataclass(frozen=True)
class Standing:
    """How a window stands: the wait until one more fits (0: one does), the reset until the oldest leaves."""

    used: int
    wait_microseconds: int
    reset_microseconds: int


@dataclass(frozen=True)
class Answer:
    """What a store said: whether the request may go on, when that was on its clock, and how each window stands."""

    granted: bool
    at_microseconds: int
    standings: Sequence[Standing]


Marks = tuple[tuple[int, int], ...]


def live_marks(marks: Marks, *, rate: Rate, now: int) -> tuple[Marks, int]:
    """Return the marks still in the window and the time to count with: a clock never goes back within a window.

    Marks more than a window ahead come from a clock that was set right since, and are forgotten.
    """
    window = rate.seconds * MICROSECONDS
    newest = marks[-1][0] if marks else now
    if newest > now + window:
        return (), now
    now = max(now, newest)
    return tuple(mark for mark in marks if mark[0] > now - window), now


def standing_of(marks: Marks, *, rate: Rate, now: int) -> Standing:
    """Return how the live marks stand at this time."""
    window = rate.seconds * MICROSECONDS
    used = sum(count for _, count in marks)
    reset = marks[0][0] + window - now if marks else 0
    left, wait = used, 0
    for at, count in marks:
        if left < rate.count:
            break
        left -= count
        wait = at + window - now
    return Standing(used, wait, reset)


def with_one_more(marks: Marks, *, rate: Rate, now: int) -> Marks:
    """Return the marks with a request granted now."""
    step = rate.seconds * MICROSECONDS // MOST_MARKS if rate.count > MOST_MARKS else 1
    if marks and marks[-1][0] // step == now // step:
        return (*marks[:-1], (now, marks[-1][1] + 1))
    return (*marks, (now, 1))


def packed(marks: Marks) -> bytes:
    """Return the marks as bytes of this machine's order (one installation has one kind of machine)."""
    return array(_NUMBER, [number for mark in marks for number in mark]).tobytes()


def unpacked(data: bytes) -> Marks:
    numbers = array(_NUMBER)
    numbers.frombytes(data)
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


@dataclass(frozen=True)
class Ask:
    """One request wanted of the window with this key."""

    key: str
    rate: Rate


def decide(asks: Sequence[Ask], held: Sequence[Marks], *, now: int) -> tuple[list[Marks] | None, list[Standing]]:
    """Return the marks to keep when every window has room for one more, None when one has not; and how they stand."""
    live = [live_marks(marks, rate=ask.rate, now=now) for ask, marks in zip(asks, held, strict=True)]
    before = [standing_of(marks, rate=ask.rate, now=at) for ask, (marks, at) in zip(asks, live, strict=True)]
    if any(standing.wait_microseconds for standing in before):
        return None, before
    kept = [with_one_more(marks, rate=ask.rate, now=at) for ask, (marks, at) in zip(asks, live, strict=True)]
    after = [standing_of(marks, rate=ask.rate, now=at) for ask, marks, (_, at) in zip(asks, kept, live, strict=True)]
    return kept, after
