"""The circuit breaker as a machine of states, on a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from observability import breakers
from observability.breakers import BreakerOpen, Permit, ask_permit, facts_of, record_call, register_breaker
from observability.choices import BreakerState
from observability.errors import NotFound
from observability.models import BreakerSecond, CircuitBreaker
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db

NAME = "test_service"


@pytest.fixture(autouse=True)
def policy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(breakers, "_names", {})
    register_breaker(NAME)
    settings.BREAKER_WINDOW_SECONDS = 60.0
    settings.BREAKER_MIN_CALLS = 4
    settings.BREAKER_FAILURE_SHARE = 0.5
    settings.BREAKER_SLOW_SHARE = 0.75
    settings.BREAKER_SLOW_SECONDS = 10.0
    settings.BREAKER_OPEN_SECONDS = 30.0
    settings.BREAKER_PROBE_SECONDS = 45.0
    yield


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def call(second: float, *, failed: bool = False, takes: float = 0.1) -> None:
    record_call(permit=ask_permit(name=NAME, now=at(second)), failed=failed, seconds=takes, now=at(second))


def opened(second: float = 0.0) -> None:
    for _ in range(4):
        call(second, failed=True)


def state(second: float = 0.0) -> BreakerState:
    return facts_of(name=NAME, now=at(second)).state


def refused(second: float) -> bool:
    try:
        ask_permit(name=NAME, now=at(second))
    except BreakerOpen:
        return True
    return False


def test_a_breaker_that_was_never_used_is_closed() -> None:
    facts = facts_of(name=NAME, now=NOON)
    assert (facts.state, facts.window.calls, facts.opened_at, facts.probe_due_at) == ("CLOSED", 0, None, None)


def test_it_opens_when_half_of_enough_calls_failed() -> None:
    call(0)
    call(1)
    call(2, failed=True)
    assert state(2) == "CLOSED", "three calls are too few to judge by"
    call(3, failed=True)
    assert state(3) == "OPEN"
    assert refused(3)


def test_it_stays_closed_below_the_failure_share() -> None:
    for second in range(9):
        call(second, failed=second % 3 == 2)
    assert state(9) == "CLOSED"
    facts = facts_of(name=NAME, now=at(9))
    assert (facts.window.calls, facts.window.failures) == (9, 3)


def test_it_opens_when_calls_are_slow_though_they_succeed() -> None:
    for second in range(3):
        call(second, takes=10.0)
    call(3, takes=9.9)
    assert state(3) == "OPEN"


def test_failures_leave_the_sliding_window() -> None:
    for second in range(3):
        call(second, failed=True)
    call(62.5, failed=True)
    assert state(62.5) == "CLOSED"
    assert facts_of(name=NAME, now=at(62.5)).window.calls == 1
    assert BreakerSecond.objects.count() == 1, "what left the window is swept out"


def test_no_call_passes_while_it_is_open() -> None:
    opened()
    assert all(refused(second) for second in (0, 1, 15, 29.9))
    assert facts_of(name=NAME, now=at(1)).probe_due_at == at(30)


def test_one_probe_passes_after_the_open_time() -> None:
    opened()
    assert ask_permit(name=NAME, now=at(30)).probe is not None
    assert state(30) == "HALF_OPEN"
    assert refused(30)
    assert refused(74.9)


def test_a_probe_that_succeeds_closes_it_with_an_empty_window() -> None:
    opened()
    call(30)
    assert state(30) == "CLOSED"
    assert facts_of(name=NAME, now=at(30)).window.calls == 0
    assert not refused(30)


@pytest.mark.parametrize(("failed", "takes"), [(True, 0.1), (False, 10.0)])
def test_a_probe_that_fails_or_is_slow_opens_it_for_a_whole_interval(failed: bool, takes: float) -> None:
    opened()
    call(31, failed=failed, takes=takes)
    assert state(31) == "OPEN"
    assert refused(60.9)
    assert not refused(61)


def test_the_probe_of_a_killed_process_expires() -> None:
    opened()
    lost = ask_permit(name=NAME, now=at(30))
    assert refused(74.9)
    heir = ask_permit(name=NAME, now=at(75))
    assert heir.probe not in (None, lost.probe)
    record_call(permit=lost, failed=False, seconds=0.1, now=at(76))
    assert state(76) == "HALF_OPEN", "a probe that came too late decides nothing"


def test_a_call_from_before_it_opened_says_nothing_afterwards() -> None:
    early = ask_permit(name=NAME, now=at(0))
    opened(1)
    call(31)
    record_call(permit=early, failed=True, seconds=0.1, now=at(32))
    assert facts_of(name=NAME, now=at(32)).window.calls == 0


def test_force_open_holds_until_a_reset() -> None:
    breakers.force_breaker_open(name=NAME, by="olga", now=at(0))
    assert refused(0)
    assert refused(1_000_000)
    facts = facts_of(name=NAME, now=at(0))
    assert (facts.state, facts.forced_open, facts.changed_by, facts.probe_due_at) == ("OPEN", True, "olga", None)
    breakers.reset_breaker(name=NAME, by="olga", now=at(1))
    assert not refused(1)
    assert not CircuitBreaker.objects.get().forced_open


def test_a_clock_that_was_set_back_does_not_keep_it_open_for_days() -> None:
    opened(86_400)
    assert not refused(0)


def test_a_clock_that_is_a_little_behind_does_not_let_calls_through() -> None:
    opened(0)
    assert refused(-2)


def test_reset_and_force_know_registered_breakers_only() -> None:
    for change in (breakers.reset_breaker, breakers.force_breaker_open):
        with pytest.raises(NotFound):
            change(name="nobody", by="olga", now=NOON)
    with pytest.raises(NotFound):
        facts_of(name="nobody", now=NOON)
    assert not CircuitBreaker.objects.exists()


def test_breaker_states_names_every_state_of_every_breaker() -> None:
    register_breaker("never_used")
    opened()
    assert breakers.breaker_states() == {
        (name, value.value): float(value == (BreakerState.OPEN if name == NAME else BreakerState.CLOSED))
        for name in (NAME, "never_used")
        for value in BreakerState
    }


def test_an_old_generation_is_not_counted() -> None:
    record_call(permit=Permit(NAME, generation=7), failed=True, seconds=0.1, now=NOON)
    assert facts_of(name=NAME, now=NOON).window.calls == 0
