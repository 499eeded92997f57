"""Traces over OTLP or to the console, only where asked for; the one file that knows the OpenTelemetry SDK.

One trace goes from the request through the job's row to the worker and the model's provider. A span carries names,
counts and codes from closed lists: no prompt, no path, no query, no claimant's word, no message of an exception; text
passes the masker all the same. Traces that callers bring along are not continued: a stranger would choose ours.

The tracer provider is never made the process's global one, because a model SDK that found a global one would add spans
of its own, and those can be told by the environment to carry prompts. It starts with the first span of a process, so
always after the fork: the exporter's thread does not survive one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from django.conf import settings

from observability.context import current_context
from observability.masking import mask_text

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

Attributes = Mapping[str, str | int]

# A collector that is away must not hold up the end of a process.
_EXPORT_SECONDS = 3.0
_FLUSH_MILLISECONDS = 3_000
# A pool child is recycled or killed at any time: what it has not sent by then is lost.
_SEND_EVERY_MILLISECONDS = 1_000
# Length of a trace context as the W3C writes it (traceparent, version 00).
TRACE_CONTEXT_LENGTH = 55


@dataclass(frozen=True)
class _Started:
    provider: TracerProvider
    tracer: Tracer
    pid: int


_started: _Started | None = None


class OpenSpan:
    """A span under way, or nothing at all where tracing is off."""

    def __init__(self, span: Span | None = None) -> None:
        self._span = span

    def note(self, **attributes: str | int) -> None:
        """Set attributes; a double underscore in a name stands for its dot."""
        if self._span is not None:
            for name, value in attributes.items():
                self._span.set_attribute(name.replace("__", "."), _masked(value))

    def rename(self, name: str) -> None:
        if self._span is not None:
            self._span.update_name(mask_text(name))

    def failed(self, code: str) -> None:
        """Note the code of a failure; `code` comes from a closed list."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode  # noqa: PLC0415  # as below

            self.note(error__type=code)
            self._span.set_status(StatusCode.ERROR)


class ModelCallSpan(OpenSpan):
    """The span of one call to a model."""

    def told_usage(self, *, input_tokens: int, output_tokens: int) -> None:
        self.note(gen_ai__usage__input_tokens=input_tokens, gen_ai__usage__output_tokens=output_tokens)

    def answered(self, *, model: str) -> None:
        """Note the model that the server says it used: its word, so it is masked."""
        self.note(gen_ai__response__model=model)


@contextmanager
def request_span(*, method: str) -> Iterator[OpenSpan]:
    """Trace the block as one request that is served; its caller names the route by `served`."""
    with _span(method, kind="SERVER", attributes={"http.request.method": method}, root=True) as span:
        yield OpenSpan(span)


def served(span: OpenSpan, *, method: str, route: str, status: int) -> None:
    """Note how a request ended: by its route, which holds no value of the path."""
    span.rename(f"{method} {route}")
    span.note(http__route=route, http__response__status_code=status)
    if status >= 500:
        span.failed(str(status))


@contextmanager
def job_span(*, kind: str, attempt: int, carried: str) -> Iterator[OpenSpan]:
    """Trace the block as one attempt at a job, in the trace whose context the job's row has kept."""
    context = current_context()
    attributes: dict[str, str | int] = {
        "claimwright.job.id": context.job_id,
        "claimwright.job.kind": kind,
        "claimwright.job.attempt": attempt,
    }
    if context.tenant_id:
        attributes["claimwright.tenant.id"] = context.tenant_id
    with _span(f"job {kind}", kind="CONSUMER", attributes=attributes, root=True, carried=carried) as span:
        yield OpenSpan(span)


@contextmanager
def model_call_span(*, provider: str, model: str) -> Iterator[ModelCallSpan]:
    """Trace the block as one call to a model, by the semantic conventions for generative AI.

    Whatever the block raises passes through and is not recorded; the caller names it by `failed`.
    """
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.system": provider,  # the older name of the same, which many backends still read
        "gen_ai.request.model": model,
        "gen_ai.output.type": "json",
        "claimwright.job.id": current_context().job_id,
    }
    with _span(f"chat {model}", kind="CLIENT", attributes=attributes) as span:
        yield ModelCallSpan(span)


@contextmanager
def http_call_span(*, method: str, server: str = "") -> Iterator[OpenSpan]:
    """Trace the block as one HTTP request to another system; `server` is left out where it is a tenant's."""
    if not is_inside_a_span():
        yield OpenSpan()
        return
    attributes = {"http.request.method": method} | ({"server.address": server} if server else {})
    with _span(method, kind="CLIENT", attributes=attributes) as span:
        yield OpenSpan(span)


@contextmanager
def store_span(name: str, attributes: Attributes) -> Iterator[OpenSpan]:
    """Trace the block as one question to the database or the cache. Callers ask `is_inside_a_span` first: a question
    that belongs to no request and no job is no trace of its own."""
    with _span(name, kind="CLIENT", attributes=attributes) as span:
        yield OpenSpan(span)


def is_inside_a_span() -> bool:
    """Whether this thread works inside a span that is kept."""
    if _started is None or _started.pid != os.getpid():
        return False
    from opentelemetry.trace import get_current_span  # noqa: PLC0415  # as below

    return get_current_span().is_recording()


def carried_trace() -> str:
    """Return the context of the trace in hand as the W3C writes it; empty where there is none."""
    if _started is None or _started.pid != os.getpid():
        return ""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415  # as below

    own = get_current_span().get_span_context()
    return f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}" if own.is_valid else ""


def current_trace_id() -> str:
    """Return the id of the trace in hand; empty where there is none."""
    return carried_trace()[3:35]


@contextmanager
def _span(
    name: str, *, kind: str, attributes: Attributes, root: bool = False, carried: str = ""
) -> Iterator[Span | None]:
    """Open a span: in the trace of the thread, or with `root` in the `carried` one or a new one."""
    started = _started_here()
    if started is None:
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415  # only where tracing is on

    with started.tracer.start_as_current_span(
        mask_text(name),
        context=_parent(carried) if root else None,
        kind=SpanKind[kind],
        attributes={name: _masked(value) for name, value in attributes.items()},
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield span


def _parent(carried: str) -> Context:
    from opentelemetry.context import Context  # noqa: PLC0415  # as above
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    empty = Context()
    return TraceContextTextMapPropagator().extract({"traceparent": carried}, empty) if carried else empty


def _masked(value: str | int) -> str | int:
    return mask_text(value) if isinstance(value, str) else value


def start_tracing(*, exporter: SpanExporter | None = None) -> bool:
    """Start tracing in this process if it is asked for or an exporter given; return whether it runs."""
    global _started  # one per process
    if exporter is None and not (settings.OTEL_EXPORTER_OTLP_ENDPOINT or settings.OTEL_TRACES_EXPORTER == "console"):
        return False
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  # 0.2 s and memory: only where wanted
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    provider = TracerProvider(
        resource=Resource.create({"service.name": "claimwright", "service.version": settings.VERSION}),
        # The request decides for its jobs and their calls: a trace is kept whole or not at all.
        sampler=ParentBased(TraceIdRatioBased(settings.OTEL_TRACES_SAMPLER_ARG)),
    )
    provider.add_span_processor(
        BatchSpanProcessor(exporter or _configured_exporter(), schedule_delay_millis=_SEND_EVERY_MILLISECONDS)
    )
    _started = _Started(provider, provider.get_tracer("claimwright", settings.VERSION), os.getpid())
    return True


def stop_tracing() -> None:
    """Send what is waiting and end; for the last moment of a process that skips Python's own exit."""
    global _started
    stopping, _started = _started, None
    if stopping is not None and stopping.pid == os.getpid():
        stopping.provider.force_flush(_FLUSH_MILLISECONDS)
        stopping.provider.shutdown()


def _started_here() -> _Started | None:
    """Return what this very process has started: a provider inherited by a fork has lost its thread."""
    if (_started is None or _started.pid != os.getpid()) and not start_tracing():
        return None
    return _started


def _configured_exporter() -> SpanExporter:
    """Return the exporter of the settings; OTEL_EXPORTER_OTLP_HEADERS is read by itself."""
    if settings.OTEL_TRACES_EXPORTER == "console":
        return _console_exporter(sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # as above

    endpoint = f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces"
    return OTLPSpanExporter(endpoint=endpoint, timeout=_EXPORT_SECONDS)


def _console_exporter(out: TextIO) -> SpanExporter:
    """Return an exporter that writes one line of JSON for each span, beside the log."""
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter  # noqa: PLC0415  # as above

    def line(span: ReadableSpan) -> str:
        return f"{span.to_json(indent=None)}\n"

    return ConsoleSpanExporter(out=out, formatter=line)
