"""Providers behind their breakers: an outage is not waited for, bad answers and refusals lock nobody out."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from pytest_django import Settings

from aiassist.gateway import guarded_provider
from aiassist.gateway.chain import ProviderChain
from aiassist.gateway.config import ChainPolicy
from aiassist.gateway.guarded_provider import GuardedProvider
from aiassist.gateway.types import ChainAnswer, ErrorKind, ProviderError, Reach, VisionProvider
from observability.models import BreakerSecond, CircuitBreaker
from tests.aiassist.gateway.loopback import Turn, hangs_up, loopback, refuses
from tests.aiassist.gateway.requests import GOOD_ANSWER, make_request
from tests.aiassist.gateway.test_chain import Clock, Scripted
from tests.aiassist.gateway.wires import ANTHROPIC, OPENAI, WIRES, Wire

pytestmark = pytest.mark.django_db

OUTAGE = ProviderError("timeout", kind=ErrorKind.RETRY, outage=True)


@pytest.fixture(autouse=True)
def policy(settings: Settings) -> None:
    settings.BREAKER_MIN_CALLS = 3


def ask(*links: VisionProvider) -> ChainAnswer:
    clock = Clock()
    chain = ProviderChain(
        [GuardedProvider(link) for link in links],
        policy=ChainPolicy(),
        monotonic=lambda: clock.now,
        sleep=clock.sleep,
        jitter=lambda low, _high: low,
    )
    return chain.ask(make_request(), external_allowed=True)


def test_a_provider_that_is_down_is_not_asked_again() -> None:
    clock = Clock()
    down, up = Scripted(clock, OUTAGE), Scripted(clock, GOOD_ANSWER, name="local", reach=Reach.LOCAL)
    first, second = ask(down, up), ask(down, up)
    assert (first.errors, first.attempts) == (("openai:timeout",) * 3, 4)
    assert (second.errors, second.attempts) == (("openai:breaker_open",), 1)
    assert (second.provider, len(down.timeouts)) == ("local", 3)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
@pytest.mark.parametrize("turn", [refuses(500), refuses(503), hangs_up], ids=["500", "503", "hangs up"])
def test_an_outage_opens_the_breaker(wire: Wire, turn: Turn) -> None:
    with loopback(turn) as server:
        ask(wire.link(server.url))
    assert CircuitBreaker.objects.get(name=wire.name).state == "OPEN"


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 429])
def test_a_refusal_never_opens_the_breaker(wire: Wire, status: int) -> None:
    with loopback(refuses(status)) as server:
        for _ in range(3):
            ask(wire.link(server.url))
    assert len(server.requests) >= 3
    assert CircuitBreaker.objects.get(name=wire.name).state == "CLOSED"
    assert BreakerSecond.objects.filter(failures__gt=0).count() == 0


@pytest.mark.parametrize("wire", [OPENAI, ANTHROPIC], ids=lambda wire: wire.name)
def test_a_bad_answer_never_opens_the_breaker(wire: Wire) -> None:
    """Else a claimant whose text breaks the answer could shut the model away from everybody."""
    with loopback(wire.answers_json({"approve": True}), wire.answers("prose")) as server:
        for _ in range(4):
            ask(wire.link(server.url))
    assert len(server.requests) == 4
    assert CircuitBreaker.objects.get(name=wire.name).state == "CLOSED"


def test_a_slow_provider_opens_the_breaker(settings: Settings) -> None:
    settings.BREAKER_SLOW_SECONDS = 5.0
    clock = Clock()
    slow = GuardedProvider(Scripted(clock, GOOD_ANSWER, takes=6.0), monotonic=lambda: clock.now)
    for _ in range(3):
        slow.ask(make_request(), timeout_seconds=30.0)
    with pytest.raises(ProviderError, match="no usable answer") as kept_back:
        slow.ask(make_request(), timeout_seconds=30.0)
    assert kept_back.value.code == "breaker_open"


def test_a_database_that_is_away_keeps_no_claim_from_its_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_arguments: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(guarded_provider, "ask_permit", away)
    assert ask(Scripted(Clock(), GOOD_ANSWER)).provider == "openai"
    monkeypatch.undo()
    monkeypatch.setattr(guarded_provider, "record_call", away)
    assert ask(Scripted(Clock(), GOOD_ANSWER)).provider == "openai"
