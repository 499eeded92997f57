"""Every way a server can misbehave, over real sockets and in both protocols: what the chain makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

import anthropic  # noqa: F401  # seconds of importing on a busy machine, which a short deadline must not pay
import openai  # noqa: F401
import pytest

from aiassist.gateway.chain import ProviderChain
from aiassist.gateway.config import ChainPolicy
from aiassist.gateway.types import ChainAnswer, Usage
from tests.aiassist.gateway.loopback import (
    SECRET,
    Turn,
    drips,
    floods,
    hangs,
    hangs_up,
    loopback,
    nobody_listens,
    refuses,
    sends,
    truncates,
)
from tests.aiassist.gateway.requests import GOOD_ANSWER, make_request
from tests.aiassist.gateway.wires import KEY, WIRES, Wire

A_DAY_IN_2096 = 4_000_000_000
CLAIMANT = "The other driver wore a green hat."


@dataclass(frozen=True)
class Case:
    """A misbehaviour, the code it is recorded under, how often the provider is asked, and the pauses between."""

    turn: Callable[[Wire], Turn]
    code: str
    calls: int
    pauses: tuple[float, ...] = ()


def always(turn: Turn) -> Callable[[Wire], Turn]:
    return lambda _wire: turn


def retried(turn: Turn, code: str) -> Case:
    return Case(always(turn), code, calls=3, pauses=(0.0, 0.0))


CASES = {
    "hangs": retried(hangs, "timeout"),
    "drips bytes": retried(drips, "timeout"),
    "hangs up": retried(hangs_up, "unreachable"),
    "sends half a body": retried(truncates, "unreachable"),
    "asks to wait seven seconds": Case(always(refuses(429, Retry_After="7")), "rate_limited", 3, (7.0, 7.0)),
    "asks to wait until 2096": Case(
        always(refuses(429, Retry_After=formatdate(A_DAY_IN_2096, usegmt=True))), "rate_limited", 1
    ),
    "fails": retried(refuses(500), "http_500"),
    "is overloaded": retried(refuses(503), "http_503"),
    "is overloaded and asks to wait": Case(always(refuses(503, Retry_After="2")), "http_503", 3, (2.0, 2.0)),
    "does not know the key": Case(always(refuses(401)), "credentials_refused", 1),
    "refuses the request": Case(always(refuses(400)), "request_refused", 1),
    "sends a page": Case(always(sends(200, "<html>it works</html>")), "answer_not_json", 1),
    "sends an empty object": Case(always(sends(200, "{}")), "answer_missing", 1),
    "answers in prose": Case(lambda wire: wire.answers("I see a car."), "answer_not_json", 1),
    "answers with half a document": Case(lambda wire: wire.answers('{"view": "DASHCAM"'), "answer_not_json", 1),
    "answers another question": Case(lambda wire: wire.answers_json({"approve": True}), "answer_breaks_schema", 1),
    "is cut short": Case(lambda wire: wire.answers("{}", **wire.cut_short), "answer_truncated", 1),
    "will not look": Case(lambda wire: wire.answers("{}", **wire.refused), "answer_refused", 1),
    "never ends": Case(always(floods), "answer_too_long", 1),
    "answers with a book": Case(lambda wire: wire.answers("x" * 200_000), "answer_too_long", 1),
    "fails with a book": Case(always(sends(500, "x" * 2_000_000)), "answer_too_long", 1),
}


def ask_briefly(wire: Wire, url: str, pauses: list[float], *, call_timeout_seconds: float) -> ChainAnswer:
    policy = ChainPolicy(call_timeout_seconds=call_timeout_seconds)
    chain = ProviderChain([wire.link(url)], policy=policy, sleep=pauses.append, jitter=lambda low, _high: low)
    return chain.ask(make_request(claimant_text=CLAIMANT), external_allowed=True)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
@pytest.mark.parametrize("name", CASES)
def test_a_misbehaving_server_is_classified_and_the_rules_answer(
    wire: Wire, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    case, pauses = CASES[name], list[float]()
    # Where the server never finishes, the timeout is what is looked at; elsewhere it must not strike.
    patience = 0.4 if case.code == "timeout" else 20.0
    with loopback(case.turn(wire)) as server:
        answer = ask_briefly(wire, server.url, pauses, call_timeout_seconds=patience)
    assert answer.errors == (f"{wire.name}:{case.code}",) * case.calls
    assert (len(server.requests), answer.attempts, tuple(pauses)) == (case.calls, case.calls, case.pauses)
    assert (answer.provider, answer.from_model) == ("rules", False)
    told = capfd.readouterr()
    for secret in (KEY, CLAIMANT, SECRET):
        assert secret not in told.out + told.err + caplog.text + repr(answer)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_a_server_that_is_not_there_is_tried_three_times(wire: Wire) -> None:
    pauses: list[float] = []
    with nobody_listens() as url:
        answer = ask_briefly(wire, url, pauses, call_timeout_seconds=20.0)
    assert answer.errors == (f"{wire.name}:unreachable",) * 3
    assert (answer.provider, pauses) == ("rules", [0.0, 0.0])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_a_redirect_carries_neither_key_nor_claim_to_another_host(wire: Wire, status: int) -> None:
    with loopback(wire.answers_json(GOOD_ANSWER)) as other:
        with loopback(sends(status, "", Location=f"{other.url}/elsewhere")) as server:
            answer = ask_briefly(wire, server.url, [], call_timeout_seconds=20.0)
        assert answer.errors == (f"{wire.name}:redirect_refused",)
        assert (len(server.requests), other.requests) == (1, [])


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_a_server_that_recovers_is_believed(wire: Wire) -> None:
    with loopback(refuses(503), hangs_up, wire.answers_json(GOOD_ANSWER)) as server:
        answer = ask_briefly(wire, server.url, [], call_timeout_seconds=20.0)
    assert (answer.provider, answer.model, answer.attempts) == (wire.name, "served-model", 3)
    assert answer.content == GOOD_ANSWER
    assert (answer.usage, answer.retries) == (Usage(321, 45), 2)


def test_the_chain_goes_on_from_one_protocol_to_the_other() -> None:
    first, second = WIRES
    with loopback(refuses(401)) as broken, loopback(second.answers_json(GOOD_ANSWER)) as sound:
        chain = ProviderChain([first.link(broken.url), second.link(sound.url)])
        answer = chain.ask(make_request(), external_allowed=True)
    assert (answer.provider, answer.attempts) == ("anthropic", 2)
    assert answer.errors == ("openai:credentials_refused",)


def test_servers_that_never_finish_keep_the_claim_no_longer_than_the_deadline() -> None:
    policy = ChainPolicy(total_deadline_seconds=2.0, backoff_base_seconds=0.0)
    with loopback(hangs) as silent, loopback(drips) as slow:
        chain = ProviderChain([WIRES[0].link(silent.url), WIRES[1].link(slow.url)], policy=policy)
        answer = chain.ask(make_request(), external_allowed=True)
        assert silent.requests
        assert slow.requests, "a first provider that hangs must not starve the second"
    assert answer.provider == "rules"
    assert set(answer.errors) <= {
        f"{name}:{code}" for name in ("openai", "anthropic") for code in ("timeout", "deadline_reached")
    }
