"""The chain's retry loop, deadline and last link, on a clock of the test's own."""

from __future__ import annotations

import pytest

from aiassist.gateway.chain import ProviderChain
from aiassist.gateway.config import ChainPolicy
from aiassist.gateway.schema import validated
from aiassist.gateway.types import (
    ChainAnswer,
    ErrorKind,
    ProviderAnswer,
    ProviderError,
    Reach,
    Usage,
    VisionRequest,
)
from aiassist.gateway.vision_schema import VISION_SCHEMA
from tests.aiassist.gateway.requests import GOOD_ANSWER, make_request


class Clock:
    """Time that passes only when somebody waits or works."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Scripted:
    """A provider that does what its script says; the last entry repeats."""

    def __init__(
        self, clock: Clock, *script: object, name: str = "openai", reach: Reach = Reach.EXTERNAL, takes: float = 0.0
    ) -> None:
        self.name = name
        self.model = f"{name}-model"
        self.reach = reach
        self.timeouts: list[float] = []
        self._clock = clock
        self._script = list(script)
        self._takes = takes

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        self.timeouts.append(timeout_seconds)
        self._clock.now += min(self._takes, timeout_seconds)
        step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(step, ProviderError):
            raise step
        return ProviderAnswer(content=step, model=f"{self.name}-model", usage=Usage(10, 5))


def transient(retry_after_seconds: float | None = None) -> ProviderError:
    return ProviderError("http_500", kind=ErrorKind.RETRY, retry_after_seconds=retry_after_seconds)


def ask(clock: Clock, *links: Scripted, external_allowed: bool = True, jitter_share: float = 1.0) -> ChainAnswer:
    chain = ProviderChain(
        links,
        policy=ChainPolicy(),
        monotonic=lambda: clock.now,
        sleep=clock.sleep,
        jitter=lambda low, high: low + (high - low) * jitter_share,
    )
    return chain.ask(make_request(), external_allowed=external_allowed)


def test_ask_returns_who_served_it() -> None:
    clock = Clock()
    answer = ask(clock, Scripted(clock, GOOD_ANSWER))
    assert answer == ChainAnswer(
        content=GOOD_ANSWER,
        provider="openai",
        model="openai-model",
        prompt_version="vision_v1",
        attempts=1,
        usage=Usage(10, 5),
    )
    assert answer.from_model
    assert clock.pauses == []


def test_ask_retries_transient_errors_three_times_with_growing_back_off() -> None:
    clock = Clock()
    answer = ask(clock, Scripted(clock, transient()))
    assert clock.pauses == [4.0, 8.0]
    assert answer.attempts == 3
    assert answer.errors == ("openai:http_500",) * 3
    assert (answer.provider, answer.from_model) == ("rules", False)


def test_ask_draws_the_pause_from_nothing_up_to_the_ceiling() -> None:
    clock = Clock()
    ask(clock, Scripted(clock, transient()), jitter_share=0.0)
    assert clock.pauses == [0.0, 0.0]


def test_ask_never_waits_longer_than_the_cap_by_itself() -> None:
    clock = Clock()
    chain = ProviderChain(
        [Scripted(clock, transient())],
        policy=ChainPolicy(attempts_per_provider=5),
        monotonic=lambda: clock.now,
        sleep=clock.sleep,
        jitter=lambda low, high: high,
    )
    chain.ask(make_request(), external_allowed=True)
    assert clock.pauses == [4.0, 8.0, 10.0, 10.0]


def test_ask_succeeds_on_the_second_attempt() -> None:
    clock = Clock()
    answer = ask(clock, Scripted(clock, transient(), GOOD_ANSWER))
    assert (answer.provider, answer.attempts, answer.retries) == ("openai", 2, 1)
    assert answer.errors == ("openai:http_500",)


def test_ask_waits_as_long_as_the_server_asked() -> None:
    clock = Clock()
    ask(clock, Scripted(clock, transient(retry_after_seconds=20.0), GOOD_ANSWER))
    assert clock.pauses == [20.0]


def test_ask_leaves_a_server_that_wants_more_time_than_there_is() -> None:
    clock = Clock()
    second = Scripted(clock, GOOD_ANSWER, name="local", reach=Reach.LOCAL)
    answer = ask(clock, Scripted(clock, transient(retry_after_seconds=3600.0)), second)
    assert clock.pauses == []
    assert answer.provider == "local"


def test_ask_goes_on_at_once_after_a_final_refusal() -> None:
    clock = Clock()
    first = Scripted(clock, ProviderError("credentials_refused", kind=ErrorKind.NEXT))
    answer = ask(clock, first, Scripted(clock, GOOD_ANSWER, name="local", reach=Reach.LOCAL))
    assert (answer.provider, answer.attempts) == ("local", 2)
    assert answer.errors == ("openai:credentials_refused",)
    assert clock.pauses == []


def test_ask_goes_to_the_rules_after_a_fatal_refusal() -> None:
    clock = Clock()
    second = Scripted(clock, GOOD_ANSWER, name="local", reach=Reach.LOCAL)
    answer = ask(clock, Scripted(clock, ProviderError("over_budget", kind=ErrorKind.FATAL)), second)
    assert answer.provider == "rules"
    assert second.timeouts == []


@pytest.mark.parametrize(
    "content",
    [
        "words",
        [],
        {},
        GOOD_ANSWER | {"approve": True},
        GOOD_ANSWER | {"severity": "CATASTROPHIC"},
        GOOD_ANSWER | {"statements": [{"kind": "IMPACT", "start_seconds": -1, "end_seconds": 0, "certainty": 1}]},
        GOOD_ANSWER | {"statements": [{"kind": "IMPACT", "start_seconds": True, "end_seconds": 1, "certainty": 1}]},
        GOOD_ANSWER | {"statements": GOOD_ANSWER["statements"] * 41},  # type: ignore[operator]
    ],
)
def test_ask_counts_an_invalid_answer_as_a_failure_of_that_provider(content: object) -> None:
    clock = Clock()
    answer = ask(clock, Scripted(clock, content), Scripted(clock, GOOD_ANSWER, name="local", reach=Reach.LOCAL))
    assert answer.provider == "local"
    assert answer.errors == ("openai:answer_breaks_schema",)


def test_ask_keeps_the_total_deadline_whatever_the_links_do() -> None:
    clock = Clock()
    slow = [
        Scripted(clock, transient(), name=name, reach=reach, takes=1e9)
        for name, reach in (("openai", Reach.EXTERNAL), ("local", Reach.LOCAL))
    ]
    answer = ask(clock, *slow)
    assert clock.now - 1000.0 <= 90.0
    assert answer.provider == "rules"
    assert slow[1].timeouts, "a first link that hangs must not starve the second"
    assert max(slow[0].timeouts) <= 30.0


def test_ask_sends_nothing_outside_when_the_tenant_forbids_it() -> None:
    clock = Clock()
    outside = Scripted(clock, GOOD_ANSWER)
    inside = Scripted(clock, GOOD_ANSWER, name="local", reach=Reach.LOCAL)
    assert ask(clock, outside, inside, external_allowed=False).provider == "local"
    assert outside.timeouts == []
    assert ask(clock, outside, external_allowed=False).provider == "rules"
    assert outside.timeouts == []


def test_ask_does_not_let_a_model_guess_without_a_picture() -> None:
    clock = Clock()
    link = Scripted(clock, GOOD_ANSWER)
    chain = ProviderChain([link], monotonic=lambda: clock.now, sleep=clock.sleep)
    assert chain.ask(make_request(pictures=0), external_allowed=True).provider == "rules"
    assert link.timeouts == []


def test_ask_answers_by_rules_when_nothing_is_configured() -> None:
    clock = Clock()
    answer = ask(clock)
    assert (answer.provider, answer.model, answer.attempts) == ("rules", "rules-1", 0)
    assert answer.content["statements"] == [
        {"kind": "IMPACT", "start_seconds": 4.4, "end_seconds": 4.6, "certainty": 0.8}
    ]
    assert validated(answer.content, VISION_SCHEMA) == answer.content
