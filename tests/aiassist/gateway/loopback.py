"""A real HTTP server on the loopback address that speaks the chat-completions protocol, well or badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

Turn = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Loopback:
    """The server's address, what it was asked, and what it does next (the last turn repeats)."""

    url: str
    turns: list[Turn]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


@contextmanager
def loopback(*turns: Turn) -> Iterator[Loopback]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        loopback: ClassVar[Loopback]

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.loopback.requests.append(json.loads(body))
            self.loopback.keys.append(self.headers.get("Authorization", ""))
            turn = self.loopback.turns.pop(0) if len(self.loopback.turns) > 1 else self.loopback.turns[0]
            try:
                turn(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Tests read answers, not logs."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.loopback = Loopback(url=f"http://127.0.0.1:{server.server_address[1]}/v1", turns=list(turns))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Handler.loopback
    finally:
        Handler.loopback.closing.set()
        server.shutdown()
        server.server_close()


def envelope(text: object, *, finish_reason: str = "stop") -> dict[str, object]:
    """The protocol's answer around a message."""
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "served-model",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 321, "completion_tokens": 45, "total_tokens": 366},
    }


def answers(text: object, *, finish_reason: str = "stop") -> Turn:
    return sends(200, json.dumps(envelope(text, finish_reason=finish_reason)))


def answers_json(content: object) -> Turn:
    return answers(json.dumps(content))


def sends(status: int, body: str, **headers: str) -> Turn:
    """Send this body as it is."""

    def turn(handler: BaseHTTPRequestHandler) -> None:
        data = body.encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return turn


def refuses(status: int, *, code: str = "x", **headers: str) -> Turn:
    return sends(status, json.dumps({"error": {"message": "SECRET WORDS", "code": code, "type": "t"}}), **headers)


def hangs(handler: BaseHTTPRequestHandler) -> None:
    """Say nothing until the server closes."""
    _closing(handler).wait(30)
    handler.close_connection = True


def drips(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, so that no read timeout ever strikes."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not _closing(handler).wait(0.02):
        handler.wfile.write(b" ")
        handler.wfile.flush()
    handler.close_connection = True


def truncates(handler: BaseHTTPRequestHandler) -> None:
    """Promise more bytes than are sent."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(json.dumps(envelope("{"))[:80].encode())
    handler.close_connection = True


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.close()


def _closing(handler: BaseHTTPRequestHandler) -> threading.Event:
    state: Loopback = handler.loopback  # type: ignore[attr-defined]  # set on the class by `loopback`
    return state.closing
