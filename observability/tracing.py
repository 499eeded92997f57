"""Traces over OTLP, only where an endpoint is set; the one file that knows the OpenTelemetry SDK.

A span carries names, counts and codes from closed lists: no prompt, no claimant's word, no message of an exception.
The tracer provider is never made the process's global one, because a model SDK that found a global one would add spans
of its own, and those can be told by the environment to carry prompts. It starts with the first span of a process, so
always after the fork: the exporter's thread does not survive one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from observability.context import current_context
from observability.masking import mask_text

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

# A collector that is away must not hold up the end of a process.
_EXPORT_SECONDS = 3.0
_FLUSH_MILLISECONDS = 3_000
# A pool child is recycled or killed at any time: what it has not sent by then is lost.
_SEND_EVERY_MILLISECONDS = 1_000


@dataclass(frozen=True)
class _Started:
    provider: TracerProvider
    pid: int


_started: _Started | None = None


class ModelCallSpan:
    """The span of one call to a model, or nothing at all where tracing is off."""

    def __init__(self, span: Span | None) -> None:
        self._span = span

    def told_usage(self, *, input_tokens: int, output_tokens: int) -> None:
        self._set("gen_ai.usage.input_tokens", input_tokens)
        self._set("gen_ai.usage.output_tokens", output_tokens)

    def answered(self, *, model: str) -> None:
        """Note the model that the server says it used: its word, so it is masked."""
        self._set("gen_ai.response.model", mask_text(model))

    def failed(self, code: str) -> None:
        """Note the code of a failure; `code` comes from a closed list."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode  # noqa: PLC0415  # as below

            self._set("error.type", code)
            self._span.set_status(StatusCode.ERROR)

    def _set(self, name: str, value: str | int) -> None:
        if self._span is not None:
            self._span.set_attribute(name, value)


@contextmanager
def model_call_span(*, provider: str, model: str) -> Iterator[ModelCallSpan]:
    """Trace the block as one call to a model, by the semantic conventions for generative AI.

    Whatever the block raises passes through and is not recorded; the caller names it by `failed`.
    """
    traces = _traces_of_this_process()
    if traces is None:
        yield ModelCallSpan(None)
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415  # only where tracing is on

    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.system": provider,  # the older name of the same, which many backends still read
        "gen_ai.request.model": model,
        "gen_ai.output.type": "json",
        "claimwright.job.id": current_context().job_id,
    }
    tracer = traces.get_tracer("claimwright", settings.VERSION)
    with tracer.start_as_current_span(
        f"chat {model}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield ModelCallSpan(span)


def start_tracing(*, exporter: SpanExporter | None = None) -> bool:
    """Start tracing in this process if an endpoint is set or an exporter given; return whether it runs."""
    global _started  # one per process
    if exporter is None and not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return False
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  # 0.2 s and memory: only where wanted
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": "claimwright", "service.version": settings.VERSION})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(
        BatchSpanProcessor(exporter or _otlp_exporter(), schedule_delay_millis=_SEND_EVERY_MILLISECONDS)
    )
    _started = _Started(provider, os.getpid())
    return True


def stop_tracing() -> None:
    """Send what is waiting and end; for the last moment of a process that skips Python's own exit."""
    global _started
    stopping, _started = _started, None
    if stopping is not None and stopping.pid == os.getpid():
        stopping.provider.force_flush(_FLUSH_MILLISECONDS)
        stopping.provider.shutdown()


def _traces_of_this_process() -> TracerProvider | None:
    """Return the provider of this very process: one inherited by a fork has lost its thread."""
    if (_started is None or _started.pid != os.getpid()) and not start_tracing():
        return None
    assert _started is not None
    return _started.provider


def _otlp_exporter() -> SpanExporter:
    """Return the exporter to the endpoint; OTEL_EXPORTER_OTLP_HEADERS is read by itself."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # as above

    endpoint = f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces"
    return OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS)
