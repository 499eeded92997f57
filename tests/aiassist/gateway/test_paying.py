"""What is paid stands in the ledger once, and the same question is not paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError
from django.utils import timezone

from aiassist.gateway import billed_provider, remembering_provider
from aiassist.gateway.billed_provider import BilledProvider, most_it_can_be
from aiassist.gateway.chain import ProviderChain
from aiassist.gateway.remembering_provider import RememberingProvider, forget_expired_answers
from aiassist.gateway.types import ChainAnswer, ErrorKind, ProviderError, Reach, Usage, VisionProvider, VisionRequest
from aiassist.models import StoredAnswer
from aiassist.types import Keyframe
from tenancy.costs.prices import cost_usd
from tenancy.models import CostRecord
from tenancy.scope import every_tenant, tenant_scope
from tests.aiassist.gateway.loopback import Turn, hangs_up, loopback, refuses
from tests.aiassist.gateway.requests import GOOD_ANSWER, make_request
from tests.aiassist.gateway.test_chain import Clock, Scripted
from tests.aiassist.gateway.wires import WIRES, Wire
from tests.people import Person

# The tests' model is in no price list.
PRICE = cost_usd("asked-model", input_tokens=321, output_tokens=45)


@pytest.fixture(autouse=True)
def scope(ada: Person) -> Iterator[None]:
    with tenant_scope(ada.tenant.id):
        yield


def ask(*links: VisionProvider, request: VisionRequest | None = None, reference: str = "claim-1") -> ChainAnswer:
    clock = Clock()
    chain = ProviderChain(
        [RememberingProvider(BilledProvider(link, reference=reference), reference=reference) for link in links],
        monotonic=lambda: clock.now,
        sleep=clock.sleep,
        jitter=lambda low, _high: low,
    )
    return chain.ask(request or make_request(), external_allowed=True)


def ledger() -> list[tuple[str, int, int, Decimal, bool]]:
    rows = CostRecord.objects.order_by("id")
    return [(row.provider, row.input_tokens, row.output_tokens, row.amount_usd, row.estimated) for row in rows]


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_a_call_is_recorded_with_its_tokens_and_its_price(wire: Wire) -> None:
    with loopback(wire.answers_json(GOOD_ANSWER)) as server:
        answer = ask(wire.link(server.url))
    assert answer.usage == Usage(321, 45, PRICE)
    assert ledger() == [(wire.name, 321, 45, PRICE, False)]
    row = CostRecord.objects.get()
    assert (row.category, row.model, row.reference) == ("THIRD_PARTY", "asked-model", "claim-1")


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
@pytest.mark.parametrize("what", ["prose", "another question", "cut short", "refused"])
def test_a_useless_answer_is_paid_and_recorded_all_the_same(wire: Wire, what: str) -> None:
    turns = {
        "prose": wire.answers("I see a car."),
        "another question": wire.answers_json({"approve": True}),
        "cut short": wire.answers("{}", **wire.cut_short),
        "refused": wire.answers("{}", **wire.refused),
    }
    with loopback(turns[what]) as server:
        answer = ask(wire.link(server.url))
    assert (answer.provider, answer.usage) == ("rules", Usage(321, 45, PRICE))
    assert ledger() == [(wire.name, 321, 45, PRICE, False)]
    assert not StoredAnswer.objects.exists(), "only valid answers are kept"


@pytest.mark.parametrize("turn", [refuses(500), refuses(401), hangs_up], ids=["500", "401", "hangs up"])
def test_a_call_without_an_answer_is_not_known_to_cost_anything(turn: Turn) -> None:
    with loopback(turn) as server:
        answer = ask(WIRES[0].link(server.url))
    assert (answer.usage, ledger()) == (Usage(), [])


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_a_provider_that_tells_no_tokens_is_booked_at_the_most_it_can_be(wire: Wire) -> None:
    with loopback(wire.answers(str(GOOD_ANSWER).replace("'", '"'), usage=None)) as server:
        answer = ask(wire.link(server.url))
    most = most_it_can_be(make_request())
    assert answer.provider == wire.name
    ((_, input_tokens, output_tokens, amount, estimated),) = ledger()
    assert (input_tokens, output_tokens, estimated) == (most.input_tokens, most.output_tokens, True)
    assert amount == answer.usage.cost_usd > 0


def test_a_model_of_our_own_is_recorded_at_the_price_of_a_run() -> None:
    ask(Scripted(Clock(), GOOD_ANSWER, name="local", reach=Reach.LOCAL))
    row = CostRecord.objects.get()
    assert (row.category, row.amount_usd, row.input_tokens) == ("INFERENCE", Decimal("0.001"), 10)


def test_failures_and_the_answer_are_summed() -> None:
    first, second = WIRES
    with loopback(first.answers("prose")) as babbling, loopback(second.answers_json(GOOD_ANSWER)) as sound:
        answer = ask(first.link(babbling.url), second.link(sound.url))
    assert (answer.provider, answer.usage) == ("anthropic", Usage(642, 90, 2 * PRICE))
    assert sum(row[3] for row in ledger()) == answer.usage.cost_usd


def test_the_same_question_is_asked_and_paid_once() -> None:
    link = Scripted(Clock(), GOOD_ANSWER)
    first, second = ask(link), ask(link)
    assert (len(link.timeouts), len(ledger())) == (1, 1)
    assert (first.cached, second.cached) == (False, True)
    assert (second.content, second.provider, second.model) == (GOOD_ANSWER, "openai", "openai-model")
    assert (second.attempts, second.usage) == (0, Usage())


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt_version": "vision_v2"},
        {"instructions": "Look again."},
        {"claimant_text": "I was not hit."},
        {"measured": {"duration_seconds": 9.0}},
        {"pictures": (Keyframe(0.0, b"\xff\xd8other"),)},
        {"pictures": (Keyframe(0.5, b"\xff\xd8picture"),)},
        {"max_output_tokens": 99},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_question_is_asked_anew(changed: dict[str, object]) -> None:
    link = Scripted(Clock(), GOOD_ANSWER)
    ask(link)
    ask(link, request=replace(make_request(), **changed))  # type: ignore[arg-type]  # fields by name
    assert len(link.timeouts) == 2


def test_another_claim_asks_anew() -> None:
    link = Scripted(Clock(), GOOD_ANSWER)
    ask(link)
    assert not ask(link, reference="claim-2").cached


def test_another_tenant_asks_anew(zoe: Person) -> None:
    link = Scripted(Clock(), GOOD_ANSWER)
    ask(link)
    with tenant_scope(zoe.tenant.id):
        assert not ask(link).cached
    assert len(link.timeouts) == 2


def test_another_model_asks_anew() -> None:
    link = Scripted(Clock(), GOOD_ANSWER)
    ask(link)
    link.model = "better"
    assert not ask(link).cached


def test_an_answer_is_kept_for_its_time_only() -> None:
    link = Scripted(Clock(), GOOD_ANSWER)
    ask(link)
    StoredAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not ask(link).cached, "an expired answer is replaced"
    assert ask(link).cached
    StoredAnswer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert forget_expired_answers(now=timezone.now()) == 1
    with every_tenant("a test counts"):
        assert StoredAnswer.objects.count() == 0


def test_a_stored_answer_is_held_against_the_schema_again() -> None:
    link = Scripted(Clock(), GOOD_ANSWER)
    ask(link)
    StoredAnswer.objects.update(content={"severity": "CATASTROPHIC"})
    answer = ask(link)
    assert (answer.provider, answer.errors) == ("rules", ("openai:answer_breaks_schema",))


def test_a_database_that_is_away_loses_neither_the_answer_nor_the_claim(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_arguments: object, **_named: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(billed_provider, "record_cost", away)
    monkeypatch.setattr(remembering_provider.RememberingProvider, "_same_question", away)
    answer = ask(Scripted(Clock(), GOOD_ANSWER))
    assert (answer.provider, answer.cached) == ("openai", False)
    assert "cost_not_recorded" in caplog.text, "what the ledger misses stands in the log"


def test_an_error_that_is_raised_again_is_not_booked_twice() -> None:
    error = ProviderError("answer_refused", kind=ErrorKind.NEXT)
    error.usage = Usage(100, 10)
    answer = ask(Scripted(Clock(), error))
    assert answer.usage == Usage(100, 10, cost_usd("openai-model", input_tokens=100, output_tokens=10))
    assert len(ledger()) == 1
