"""Any sequence of calls against a plain model of the same breaker, written the obvious way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from observability import breakers
from observability.breakers import BreakerOpen, Permit, ask_permit, facts_of, record_call, register_breaker
from observability.models import CircuitBreaker
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db

NAME = "test_service"
WINDOW, MIN_CALLS, OPEN, PROBE = 60, 4, 30, 45


@dataclass
class Plain:
    """The breaker as one would explain it, in whole seconds."""

    calls: list[tuple[int, bool, bool]] = field(default_factory=list)
    opened_at: int | None = None
    probe_until: int | None = None

    def lets_through(self, now: int) -> bool:
        if self.opened_at is None:
            return True
        if now < self.opened_at + OPEN or (self.probe_until is not None and now < self.probe_until):
            return False
        self.probe_until = now + PROBE
        return True

    def record(self, now: int, *, failed: bool, slow: bool) -> None:
        if self.opened_at is not None:
            self.opened_at = now if failed or slow else None
            self.probe_until, self.calls = None, []
            return
        self.calls = [call for call in self.calls if call[0] > now - WINDOW] + [(now, failed, slow)]
        failures, slow_calls = sum(call[1] for call in self.calls), sum(call[2] for call in self.calls)
        bad = 2 * failures >= len(self.calls) or 4 * slow_calls >= 3 * len(self.calls)
        if len(self.calls) >= MIN_CALLS and bad:
            self.opened_at, self.calls = now, []

    def state(self) -> str:
        if self.opened_at is None:
            return "CLOSED"
        return "OPEN" if self.probe_until is None else "HALF_OPEN"


@pytest.fixture(autouse=True)
def policy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers, "_names", {})
    register_breaker(NAME)
    settings.BREAKER_WINDOW_SECONDS = float(WINDOW)
    settings.BREAKER_MIN_CALLS = MIN_CALLS
    settings.BREAKER_FAILURE_SHARE = 0.5
    settings.BREAKER_SLOW_SHARE = 0.75
    settings.BREAKER_SLOW_SECONDS = 10.0
    settings.BREAKER_OPEN_SECONDS = float(OPEN)
    settings.BREAKER_PROBE_SECONDS = float(PROBE)


def permit_at(now: int) -> Permit | None:
    try:
        return ask_permit(name=NAME, now=NOON + timedelta(seconds=now))
    except BreakerOpen:
        return None


# How many seconds later the next call comes, and how it ends (lost: its process is killed).
STEPS = st.lists(
    st.tuples(st.sampled_from([0, 1, 7, 29, 30, 31, 45, 61]), st.sampled_from(["ok", "failed", "slow", "lost"])),
    max_size=40,
)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_breaker_does_what_its_plain_model_does(steps: list[tuple[int, str]]) -> None:
    CircuitBreaker.objects.all().delete()
    plain, now = Plain(), 0
    for pause, end in steps:
        now += pause
        permit = permit_at(now)
        assert (permit is not None) == plain.lets_through(now)
        if permit is not None and end != "lost":
            moment = NOON + timedelta(seconds=now)
            seconds = 10.0 if end == "slow" else 0.1
            record_call(permit=permit, failed=end == "failed", seconds=seconds, now=moment)
            plain.record(now, failed=end == "failed", slow=end == "slow")
        assert facts_of(name=NAME, now=NOON + timedelta(seconds=now)).state == plain.state()
