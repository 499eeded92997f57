"""Statements are timed and counted, and inside a trace they are spans without a word of their text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from observability.models import WorkerHeartbeat
from observability.tracing import request_span, start_tracing, stop_tracing

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    yield exporter
    stop_tracing()


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def broken_statement() -> None:
    with transaction.atomic(), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT ada_lovelace FROM nowhere WHERE email = 'ada@example.org'")


def test_statements_are_timed_by_their_verb() -> None:
    before = figure("claimwright_database_seconds_count", operation="select")
    list(WorkerHeartbeat.objects.all())
    assert WorkerHeartbeat.objects.count() == 0
    assert figure("claimwright_database_seconds_count", operation="select") == before + 2


def test_statements_that_fail_are_counted_by_kind() -> None:
    def failed() -> float:
        kinds = ("OperationalError", "ProgrammingError")  # SQLite's and PostgreSQL's word for a missing table
        return sum(figure("claimwright_database_errors_total", kind=kind) for kind in kinds)

    before = failed()
    broken_statement()
    assert failed() == before + 1


def test_a_statement_inside_a_trace_is_a_span_without_its_text(kept: InMemorySpanExporter) -> None:
    WorkerHeartbeat.objects.filter(name="ada@example.org").exists()  # in no trace: no span
    with request_span(method="GET"):
        WorkerHeartbeat.objects.filter(name="ada@example.org").exists()
        broken_statement()
    stop_tracing()
    spans = {span.name: span for span in kept.get_finished_spans()}
    request = spans["GET"]
    for span in kept.get_finished_spans():
        assert span.context and request.context and span.context.trace_id == request.context.trace_id
    first = next(span for span in kept.get_finished_spans() if span.name == "database select")
    assert dict(first.attributes or {}) == {"db.system.name": connection.vendor, "db.operation.name": "SELECT"}
    failed = [span for span in kept.get_finished_spans() if "error.type" in (span.attributes or {})]
    assert [span.name for span in failed] == ["database select"]
    told = "".join(span.to_json() for span in kept.get_finished_spans())
    assert "ada@" not in told and "ada_" not in told and "nowhere" not in told and "worker" not in told
