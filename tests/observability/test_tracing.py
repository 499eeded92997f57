"""Spans of model calls: off by default, sent after a fork, and without a word of the claim in them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_django import Settings

from observability import tracing
from observability.context import work_context
from observability.tracing import model_call_span, start_tracing, stop_tracing
from tests.observability.collector import collector


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    stop_tracing()


def test_tracing_is_off_without_an_endpoint() -> None:
    assert django_settings.OTEL_EXPORTER_OTLP_ENDPOINT == ""
    with model_call_span(provider="openai", model="m") as span:
        span.answered(model="m")
        span.told_usage(input_tokens=1, output_tokens=1)
        span.failed("timeout")
    assert tracing._started is None


def test_a_process_without_an_endpoint_exports_nothing() -> None:
    program = (
        "import sys, django; django.setup()\n"
        "from observability.tracing import model_call_span\n"
        "with model_call_span(provider='openai', model='m'): pass\n"
        "assert not any(name.startswith('opentelemetry.exporter') for name in sys.modules)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "OTEL_EXPORTER_OTLP_ENDPOINT": ""}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)


def test_a_call_is_one_span_with_the_conventions_attributes() -> None:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    with work_context(job_id="job-1"), model_call_span(provider="anthropic", model="claude-haiku-4-5") as span:
        span.answered(model="claude-haiku-4-5-20251001")
        span.told_usage(input_tokens=321, output_tokens=45)
    stop_tracing()
    (seen,) = exporter.get_finished_spans()
    assert (seen.name, seen.kind, seen.status.status_code.name) == (
        "chat claude-haiku-4-5",
        trace.SpanKind.CLIENT,
        "UNSET",
    )
    assert dict(seen.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.system": "anthropic",
        "gen_ai.request.model": "claude-haiku-4-5",
        "gen_ai.response.model": "claude-haiku-4-5-20251001",
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": 321,
        "gen_ai.usage.output_tokens": 45,
        "claimwright.job.id": "job-1",
    }


def test_a_failure_is_a_code_and_no_message() -> None:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    with pytest.raises(ValueError, match="green hat"), model_call_span(provider="openai", model="m") as span:
        span.failed("timeout")
        raise ValueError("the man in the green hat")
    stop_tracing()
    (seen,) = exporter.get_finished_spans()
    assert seen.attributes is not None
    assert (seen.attributes["error.type"], seen.status.status_code.name) == ("timeout", "ERROR")
    assert (seen.status.description, seen.events) == (None, ())


def test_spans_arrive_at_a_collector(settings: Settings) -> None:
    with collector() as collected:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = collected.endpoint + "/"
        with model_call_span(provider="openai", model="m"):
            pass
        stop_tracing()
    assert collected.paths == ["/v1/traces"]
    assert [span.name for span in collected.spans] == ["chat m"]
    assert collected.resources[0]["service.name"] == "claimwright"


def test_a_child_sends_its_own_spans_after_a_fork(settings: Settings) -> None:
    """The parent's exporter has a thread that the child does not have."""
    with collector() as collected:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = collected.endpoint
        with model_call_span(provider="openai", model="of-the-parent"):
            pass
        child = os.fork()
        if child == 0:
            with model_call_span(provider="openai", model="of-the-child"):
                pass
            stop_tracing()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        stop_tracing()
    assert sorted(span.name for span in collected.spans) == ["chat of-the-child", "chat of-the-parent"]


def test_a_collector_that_is_away_disturbs_nobody(settings: Settings) -> None:
    with collector() as collected:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = collected.endpoint
    with model_call_span(provider="openai", model="m"):
        pass
    stop_tracing()
    assert collected.spans == []


def test_no_global_provider_invites_a_librarys_own_spans() -> None:
    start_tracing(exporter=InMemorySpanExporter())
    assert not isinstance(trace.get_tracer_provider(), type(tracing._started.provider))  # type: ignore[union-attr]  # started
