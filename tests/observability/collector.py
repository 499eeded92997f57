"""A collector on the loopback address that takes OTLP over HTTP and keeps the spans."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collector:
    """The endpoint and the spans that arrived."""

    endpoint: str
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    resources: list[dict[str, str]] = field(default_factory=list)
    spans: list[Any] = field(default_factory=list)

    def take(self, path: str, body: bytes) -> None:
        self.paths.append(path)
        self.bodies.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append({pair.key: pair.value.string_value for pair in group.resource.attributes})
            self.spans += [span for scope in group.scope_spans for span in scope.spans]


@contextmanager
def collector() -> Iterator[Collector]:
    """Collect until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        collected: ClassVar[Collector]

        def do_POST(self) -> None:
            self.collected.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tests read spans, not logs."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.collected = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield Handler.collected
    finally:
        server.shutdown()
        server.server_close()
