"""The caches are counted, traced, and forgiving while Redis is away."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from observability.caches import LocalCache, RedisCache
from observability.tracing import request_span, start_tracing, stop_tracing

NOBODY = "redis://127.0.0.1:1/0"


def figure(operation: str, outcome: str) -> float:
    labels = {"operation": operation, "outcome": outcome}
    return REGISTRY.get_sample_value("claimwright_cache_operations_total", labels) or 0.0


def test_uses_of_the_cache_are_counted_by_outcome() -> None:
    own = LocalCache("of-this-test", {})
    before = {outcome: figure("get", outcome) for outcome in ("hit", "miss")}
    stored = figure("set", "ok")
    assert own.get("key", "default") == "default"
    own.set("key", None)  # a kept nothing is a hit
    assert own.get("key", "default") is None
    assert own.delete("key") is True
    assert figure("get", "miss") == before["miss"] + 1
    assert figure("get", "hit") == before["hit"] + 1
    assert figure("set", "ok") == stored + 1


def test_the_products_cache_is_a_counted_one() -> None:
    before = figure("get", "miss")
    cache.get("nobody-has-set-this")
    assert figure("get", "miss") == before + 1


def test_redis_that_is_away_is_an_empty_cache_and_is_counted() -> None:
    away = RedisCache(NOBODY, {"OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 0.5}})
    before = figure("get", "failed")
    with capture_logs() as lines:
        assert away.get("ada@example.org", "default") == "default"
        assert not away.set("ada@example.org", 1)
    assert figure("get", "failed") == before + 1
    assert [line["event"] for line in lines] == ["cache_away", "cache_away"]
    assert "ada" not in str(lines)


def test_a_cache_that_must_not_forgive_raises() -> None:
    with pytest.raises((RedisError, OSError)):
        RedisCache(NOBODY, {"OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5}}).get("key")


def test_a_use_inside_a_trace_is_a_span_without_key_or_value() -> None:
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    own = LocalCache("of-this-test", {})
    with request_span(method="GET"):
        own.set("key-of-ada", "value-of-ada")
        own.get("key-of-ada")
    stop_tracing()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["cache set", "cache get", "GET"]
    assert dict(spans[1].attributes or {}) == {"db.system.name": "memory", "db.operation.name": "GET"}
    assert "of-ada" not in "".join(span.to_json() for span in spans)
