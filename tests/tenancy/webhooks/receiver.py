"""A receiver of webhooks on the loopback, with TLS and bad manners by choice. It keeps what it was sent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answering = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True)
class Received:
    """One request as it came; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes
    sni: str | None


@dataclass
class Receiver:
    port: int
    got: list[Received] = field(default_factory=list)
    connections: int = 0


def answering(status: str, *headers: str, body: bytes = b"") -> Answering:
    """Answer with a status line such as `204 No Content`."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""])

    def answer(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(head.encode() + body)

    return answer


def hanging(connection: socket.socket, over: threading.Event) -> None:
    """Say nothing until the test is over."""
    over.wait(30)


def dripping(connection: socket.socket, over: threading.Event) -> None:
    """Send a head that never ends, a byte at a time: each read is quick."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.02):
        connection.sendall(b"a")


def endless_head(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        connection.sendall(b"X-Line-%d: %s\r\n" % (number, b"a" * 1000))


def endless_body(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"a" * 65_536)


def garbage(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")


@contextmanager
def receiving(answer: Answering, tls: ssl.SSLContext | None) -> Iterator[Receiver]:
    """Listen for the block; every connection is answered alike."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver = Receiver(listener.getsockname()[1])
        threads: list[threading.Thread] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    if over.is_set():
                        connection.close()
                        return
                    receiver.connections += 1
                    thread = threading.Thread(target=_serve, args=(connection, receiver, answer, tls, over))
                    threads.append(thread)
                    thread.start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield receiver
        finally:
            over.set()
            with socket.socket() as knock:  # wakes `accept`
                knock.connect(("127.0.0.1", receiver.port))
            for thread in [accepting, *threads]:
                thread.join(10)


def _serve(
    plain: socket.socket, receiver: Receiver, answer: Answering, tls: ssl.SSLContext | None, over: threading.Event
) -> None:
    names: list[str | None] = []
    # A client that hangs up, or takes no such certificate, is what half of these tests are about.
    with suppress(OSError), plain:
        plain.settimeout(10)
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: names.append(name)
            connection: socket.socket = tls.wrap_socket(plain, server_side=True)
        else:
            connection = plain
        with connection:
            receiver.got.append(_request(connection, names[0] if names else None))
            answer(connection, over)


def _request(connection: socket.socket, sni: str | None) -> Received:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += _more(connection)
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += _more(connection)
    return Received(line, headers, body, sni)


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65_536)
    if not chunk:
        raise ConnectionResetError
    return chunk
