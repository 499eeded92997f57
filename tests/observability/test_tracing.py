"""Spans of model calls: off by default, sent after a fork, and without a word of the claim in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_django import Settings

from observability import tracing
from observability.context import work_context
from observability.jobs import Lease
from observability.running import run_job
from observability.tracing import (
    carried_trace,
    current_trace_id,
    http_call_span,
    job_span,
    model_call_span,
    request_span,
    served,
    start_tracing,
    stop_tracing,
)
from tests.observability.collector import collector
from tests.observability.work import finish, known_kind, make_job


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


def test_request_job_and_model_call_are_one_trace() -> None:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    with request_span(method="POST") as request:
        carried, trace_id = carried_trace(), current_trace_id()
        served(request, method="POST", route="/claims/<uuid:id>", status=202)
    with job_span(kind="claims.assess", attempt=1, carried=carried), model_call_span(provider="openai", model="m"):
        assert current_trace_id() == trace_id
        with http_call_span(method="POST", server="api.openai.com") as call:
            call.note(http__response__status_code=200)
    stop_tracing()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert list(spans) == ["POST /claims/<uuid:id>", "POST", "chat m", "job claims.assess"]
    chain = [spans[name] for name in ("POST /claims/<uuid:id>", "job claims.assess", "chat m", "POST")]
    for above, below in pairwise(chain):
        assert below.parent is not None and above.context is not None
        assert (below.parent.span_id, below.parent.trace_id) == (above.context.span_id, above.context.trace_id)
    assert dict(chain[0].attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/claims/<uuid:id>",
        "http.response.status_code": 202,
    }


def test_a_job_without_a_kept_trace_begins_its_own_even_inside_another() -> None:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    for carried in ("", "00-nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"):
        with request_span(method="GET"):
            outside = current_trace_id()
            with job_span(kind="k", attempt=1, carried=carried):
                assert current_trace_id() not in ("", outside)
    stop_tracing()


@pytest.mark.django_db(transaction=True)
def test_the_jobs_row_carries_the_trace_to_its_attempt() -> None:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    seen: list[str] = []

    def handle(lease: Lease) -> None:
        seen.append(current_trace_id())
        finish(lease, timezone.now())

    with known_kind(handle):
        with request_span(method="POST"):
            asked_in = current_trace_id()
            job = make_job(now=timezone.now())
        run_job(job.id)
    stop_tracing()
    assert job.trace_context.startswith(f"00-{asked_in}-")
    assert seen == [asked_in]
    (attempt,) = (span for span in exporter.get_finished_spans() if span.name == "job test.count")
    told = dict(attempt.attributes or {})
    assert (told["claimwright.job.id"], told["claimwright.job.outcome"]) == (str(job.id), "succeeded")


@pytest.mark.django_db(transaction=True)
def test_a_failed_attempt_is_a_failed_span_with_a_code() -> None:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)

    def handle(_lease: Lease) -> None:
        raise ValueError("ada@example.org")

    with known_kind(handle), pytest.raises(ValueError, match="ada"):
        run_job(make_job(now=timezone.now()).id)
    stop_tracing()
    (attempt,) = (span for span in exporter.get_finished_spans() if span.name == "job test.count")
    assert attempt.attributes is not None
    assert (attempt.attributes["error.type"], attempt.attributes["claimwright.job.outcome"]) == (
        "valueerror",
        "retried",
    )
    assert "ada@" not in attempt.to_json()


def test_without_tracing_no_context_is_kept() -> None:
    with request_span(method="GET"), job_span(kind="k", attempt=1, carried=""):
        assert (carried_trace(), current_trace_id()) == ("", "")


def test_a_share_of_the_traces_is_kept_and_each_whole_or_not_at_all(settings: Settings) -> None:
    settings.OTEL_TRACES_SAMPLER_ARG = 0.5
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    for _ in range(200):
        with request_span(method="GET"):
            carried = carried_trace()
        with job_span(kind="k", attempt=1, carried=carried):
            pass
    stop_tracing()
    spans = exporter.get_finished_spans()
    kept = {
        name: {span.context.trace_id for span in spans if span.name == name and span.context}
        for name in ("GET", "job k")
    }
    assert kept["GET"] == kept["job k"]
    assert 60 < len(kept["GET"]) < 140  # 200 coin tosses: five standard deviations are 35


def test_text_in_an_attribute_passes_the_masker() -> None:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    with model_call_span(provider="openai", model="m") as span:
        span.answered(model="made for ada@example.org by sk-0123456789abcdefghij")
    stop_tracing()
    (seen,) = exporter.get_finished_spans()
    assert (seen.attributes or {})["gen_ai.response.model"] == "made for [email] by [api-key]"


def test_the_console_gets_one_line_of_json_for_each_span() -> None:
    program = (
        "import django; django.setup()\n"
        "from observability.tracing import model_call_span, request_span\n"
        "with request_span(method='GET'):\n"
        "    with model_call_span(provider='openai', model='m'): pass\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "OTEL_TRACES_EXPORTER": "console"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, timeout=120, capture_output=True, text=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{") and '"trace_id"' in line]
    assert [line["name"] for line in lines] == ["chat m", "GET"]
    assert len({line["context"]["trace_id"] for line in lines}) == 1
