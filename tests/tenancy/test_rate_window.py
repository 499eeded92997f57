"""The sliding window itself, against the plain meaning of its promise; and Redis' script against the Python one."""

from __future__ import annotations

import os
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancy.ratelimits.redis_store import RedisWindows, StoreAway
from tenancy.ratelimits.window import MICROSECONDS, MOST_MARKS, Ask, Marks, Rate, decide, packed, unpacked

# Gaps between requests: bursts, steady streams, and waits about as long as the window.
gaps = st.lists(
    st.one_of(st.integers(0, 3), st.integers(0, 400_000), st.integers(1_900_000, 2_100_000)), min_size=1, max_size=120
)


def granted_times(rate: Rate, times: list[int]) -> list[int]:
    marks: Marks = ()
    granted = []
    for now in times:
        kept, _ = decide([Ask("x", rate)], [marks], now=now)
        if kept is not None:
            marks = unpacked(packed(kept[0]))
            granted.append(now)
    return granted


def most_in_any_window(times: list[int], rate: Rate) -> int:
    """Count the fullest window there is: one of those that end with a request."""
    window = rate.seconds * MICROSECONDS
    return max((sum(end - window < at <= end for at in times) for end in times), default=0)


def arrivals(gaps: list[int]) -> list[int]:
    times, now = [], 1_700_000_000 * MICROSECONDS
    for gap in gaps:
        now += gap
        times.append(now)
    return times


@settings(max_examples=60)
@given(gaps, st.integers(1, 12))
def test_no_window_holds_more_than_its_limit_and_none_is_refused_without_need(gaps: list[int], count: int) -> None:
    rate, times = Rate(count, 2), arrivals(gaps)
    granted = granted_times(rate, times)
    assert most_in_any_window(granted, rate) <= count
    for at in set(times) - set(granted):
        assert sum(at - 2 * MICROSECONDS < other <= at for other in granted) == count


@settings(max_examples=15)
@given(st.lists(st.integers(0, 40_000), min_size=150, max_size=300))
def test_a_window_with_more_requests_than_marks_holds_no_more_either(gaps: list[int]) -> None:
    rate = Rate(MOST_MARKS + 12, 2)
    times = arrivals(gaps)
    granted = granted_times(rate, times)
    assert most_in_any_window(granted, rate) <= rate.count
    # Refused too soon by at most the 128th of a window that requests share.
    step = 2 * MICROSECONDS // MOST_MARKS
    for at in set(times) - set(granted):
        assert sum(at - 2 * MICROSECONDS - step < other <= at for other in granted) >= rate.count


def test_a_full_window_never_needs_more_room_than_its_marks() -> None:
    marks: Marks = ()
    for number in range(3_000):
        kept, _ = decide([Ask("x", Rate(2_000, 2))], [marks], now=10**15 + number * 1_000)
        marks = kept[0] if kept else marks
    assert len(marks) <= MOST_MARKS + 2
    assert 2_000 - 2_000 // MOST_MARKS - 1 <= sum(count for _, count in marks) <= 2_000


def test_one_window_without_room_spends_nothing_of_the_others() -> None:
    full, empty = Ask("full", Rate(1, 60)), Ask("empty", Rate(5, 60))
    kept, standings = decide([full, empty], [((10**15, 1),), ()], now=10**15 + 5)
    assert kept is None
    assert [standing.used for standing in standings] == [1, 0]
    assert standings[0].wait_microseconds == 60 * MICROSECONDS - 5


def test_a_clock_that_is_set_back_gives_nothing_away_and_one_set_right_by_a_day_locks_nobody_out() -> None:
    ask, held = Ask("x", Rate(1, 60)), ((10**15, 1),)
    assert decide([ask], [held], now=10**15 - 30 * MICROSECONDS)[0] is None
    assert decide([ask], [held], now=10**15 - 86_400 * MICROSECONDS)[0] is not None


@pytest.mark.services
def test_the_script_in_redis_says_what_the_window_says() -> None:
    store = RedisWindows(os.environ["CACHE_URL"])
    for rate in (Rate(3, 1), Rate(MOST_MARKS + 2, 1), Rate(100_000, 60)):
        asks = [Ask(f"test:{secrets.token_hex(8)}", rate), Ask(f"test:{secrets.token_hex(8)}", Rate(140, 60))]
        held: list[Marks] = [(), ()]
        for _ in range(160):
            answer = store.take(asks)
            kept, standings = decide(asks, held, now=answer.at_microseconds)
            assert (answer.granted, list(answer.standings)) == (kept is not None, standings)
            held = kept or held


@pytest.mark.services
def test_a_redis_that_is_not_there_is_told_by_name() -> None:
    with pytest.raises(StoreAway):
        RedisWindows("redis://127.0.0.1:1/0").take([Ask("x", Rate(1, 1))])
