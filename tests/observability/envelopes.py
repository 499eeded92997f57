"""A receiver on the loopback address that takes Sentry's envelopes and keeps their bytes."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


@dataclass
class Receiver:
    """The DSN that leads here, and what arrived: the bytes, and the events in them."""

    dsn: str
    bodies: list[bytes] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        # Envelopes are lines: a header, then a header and a payload for each item.
        lines = body.split(b"\n")
        for header, payload in zip(lines[1::2], lines[2::2], strict=False):
            if header and json.loads(header)["type"] in {"event", "transaction"}:
                self.events.append(json.loads(payload))

    def types(self) -> list[str]:
        """Return the class of each error that arrived, causes left out."""
        return [event["exception"]["values"][-1]["type"] for event in self.events if "exception" in event]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Receive until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        received: ClassVar[Receiver]

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding", "")
            assert packed in {"", "gzip"}, packed
            self.received.take(gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Tests read envelopes, not logs."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.received = Receiver(f"http://public@127.0.0.1:{server.server_address[1]}/1")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield Handler.received
    finally:
        server.shutdown()
        server.server_close()
