"""A real HTTP server on the loopback address that does what a list of turns says, well or badly."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

Turn = Callable[[BaseHTTPRequestHandler], None]
SECRET = "SECRET WORDS"  # what a provider writes about a refusal; it must never reach our messages


@dataclass
class Loopback:
    """The server's address, what it was asked, and what it does next (the last turn repeats)."""

    url: str
    turns: list[Turn]
    requests: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is what most of these tests want; nobody reads its traceback."""


@contextmanager
def loopback(*turns: Turn) -> Iterator[Loopback]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        loopback: ClassVar[Loopback]

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.loopback.requests.append(json.loads(body))
            self.loopback.paths.append(self.path)
            self.loopback.keys.append(self.headers.get("Authorization", ""))
            turn = self.loopback.turns.pop(0) if len(self.loopback.turns) > 1 else self.loopback.turns[0]
            try:
                turn(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Tests read answers, not logs."""

    server = _Server(("127.0.0.1", 0), Handler)
    Handler.loopback = Loopback(url=f"http://127.0.0.1:{server.server_address[1]}/v1", turns=list(turns))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Handler.loopback
    finally:
        Handler.loopback.closing.set()
        server.shutdown()
        server.server_close()


@contextmanager
def nobody_listens() -> Iterator[str]:
    """Hold a port on which every connection is refused."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening
        yield f"http://127.0.0.1:{reserved.getsockname()[1]}/v1"


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
    """Refuse with a body that both protocols' clients can read."""
    error = {"message": SECRET, "code": code, "type": "t"}
    return sends(status, json.dumps({"type": "error", "error": error}), **headers)


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
    handler.wfile.write(b'{"id": "x", "choices": [{"index": 0')
    handler.close_connection = True


def floods(handler: BaseHTTPRequestHandler) -> None:
    """Send without an end, in chunks, until the client has had enough."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    chunk = b" " * 65_536
    while not _closing(handler).is_set():
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.close()


def _closing(handler: BaseHTTPRequestHandler) -> threading.Event:
    state: Loopback = handler.loopback  # type: ignore[attr-defined]  # set on the class by `loopback`
    return state.closing
