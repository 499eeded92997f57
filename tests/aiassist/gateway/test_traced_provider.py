"""One span per call that leaves, and not a word of the claim in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from aiassist.gateway.chain import ProviderChain
from aiassist.gateway.config import ChainPolicy
from aiassist.gateway.traced_provider import TracedProvider
from observability.tracing import stop_tracing
from tests.aiassist.gateway.loopback import SECRET, loopback, refuses
from tests.aiassist.gateway.requests import GOOD_ANSWER, make_request
from tests.aiassist.gateway.wires import KEY, WIRES, Wire
from tests.observability.collector import Collector, collector

CLAIMANT = "The other driver wore a green hat."


@pytest.fixture
def collected(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    # The model SDKs' own switches, set by somebody who means well.
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "true")
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", "content")
    with collector() as made:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = made.endpoint
        yield made
        stop_tracing()


def attributes(span: object) -> dict[str, object]:
    pairs = span.attributes  # type: ignore[attr-defined]  # a protobuf message
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in pairs}


def calls_of(collected: Collector) -> list[Any]:
    """Return the spans of calls in their order; below each is one of the HTTP request."""
    calls = [span for span in collected.spans if span.name.startswith("chat ")]
    below = [span for span in collected.spans if span.name == "POST"]
    assert sorted(span.parent_span_id for span in below) == sorted(span.span_id for span in calls)
    return sorted(calls, key=lambda span: span.start_time_unix_nano)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_every_call_is_one_span_that_tells_nothing_of_the_claim(wire: Wire, collected: Collector) -> None:
    with loopback(refuses(503), wire.answers_json(GOOD_ANSWER)) as server:
        chain = ProviderChain([TracedProvider(wire.link(server.url))], policy=ChainPolicy(backoff_base_seconds=0.0))
        answer = chain.ask(make_request(claimant_text=CLAIMANT), external_allowed=True)
    stop_tracing()
    assert (answer.provider, answer.attempts) == (wire.name, 2)
    first, second = (attributes(span) for span in calls_of(collected))
    assert first["error.type"] == "http_503"
    assert "error.type" not in second
    assert second["gen_ai.provider.name"] == wire.name
    assert second["gen_ai.request.model"] == "asked-model"
    assert second["gen_ai.response.model"] == "served-model"
    assert (second["gen_ai.usage.input_tokens"], second["gen_ai.usage.output_tokens"]) == (321, 45)
    sent = b"".join(collected.bodies)
    for secret in (CLAIMANT, "Say what you see", KEY, SECRET, "REAR_END"):
        assert secret.encode() not in sent


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_no_trace_header_leaves_for_a_provider(wire: Wire, collected: Collector) -> None:
    seen: list[str] = []

    def answers(handler: object) -> None:
        seen.extend(name.lower() for name in handler.headers)  # type: ignore[attr-defined]  # a request handler
        wire.answers_json(GOOD_ANSWER)(handler)  # type: ignore[arg-type]

    with loopback(answers) as server:
        TracedProvider(wire.link(server.url)).ask(make_request(), timeout_seconds=20.0)
    assert "authorization" in seen
    assert not {"traceparent", "tracestate", "baggage"} & set(seen)


def test_a_useless_answer_tells_its_tokens_too(collected: Collector) -> None:
    wire = WIRES[0]
    with loopback(wire.answers("prose")) as server:
        ProviderChain([TracedProvider(wire.link(server.url))]).ask(make_request(), external_allowed=True)
    stop_tracing()
    (span,) = calls_of(collected)
    assert attributes(span)["error.type"] == "answer_not_json"
    assert attributes(span)["gen_ai.usage.input_tokens"] == 321
