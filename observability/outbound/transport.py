"""Sends one POST over the wire: to checked addresses only, once, within seconds. The one file that knows httpcore2.

The name is resolved once and the connection goes to an address that was checked, so a name that leads elsewhere a
moment later (DNS rebinding) gains nothing; certificate and Host are the name's. Redirects are not followed, and of the
answer only its head is read: the body is never kept, shown or waited for.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpcore2
from django.conf import settings

from observability.errors import PlatformError
from observability.outbound.addresses import Address, Target, may_reach
from observability.tracing import http_call_span

# A receiver with more addresses than this is tried at the first of them.
_MOST_ADDRESSES = 4


class SendFailed(PlatformError):
    """No usable answer came; `code` says why, from the list in docs/webhooks.md."""

    code = "connect_failed"


@dataclass(frozen=True)
class Limits:
    """How long (seconds) and how much (bytes) one call may take; `total_seconds` begins before the name is resolved."""

    connect_seconds: float = 5.0
    total_seconds: float = 10.0
    answer_bytes: int = 65_536


@dataclass(frozen=True)
class Answer:
    """What came back. `error_code` is empty when the receiver answered at all."""

    status_code: int | None
    error_code: str
    latency_ms: int
    retry_after: str = ""


def post(target: Target, *, headers: Mapping[str, str], body: bytes, limits: Limits = Limits()) -> Answer:
    """Send the body and return the head of the answer, or why there is none; whatever the receiver does."""
    clock = _Clock(limits)
    with http_call_span(method="POST") as span:  # the host is the tenant's own affair
        try:
            addresses = resolve(target, seconds=min(limits.connect_seconds, limits.total_seconds))
            status, retry_after = _exchange(target, addresses, headers, body, clock)
        except SendFailed as failure:
            span.failed(failure.code)
            return Answer(None, failure.code, clock.passed_ms())
        span.note(http__response__status_code=status)
    return Answer(status, "", clock.passed_ms(), retry_after)


def resolve(target: Target, *, seconds: float = 5.0) -> tuple[Address, ...]:
    """Return the addresses behind the target, all of which may be called.

    Raises SendFailed `name_not_resolved`, or `address_not_allowed` when a single one may not: a name that leads inside
    at all is not called outside either.
    """
    found = (target.literal,) if target.literal else _looked_up(target, seconds)
    allow_loopback = settings.WEBHOOK_ALLOW_LOOPBACK
    if not all(may_reach(target, address, allow_loopback=allow_loopback) for address in found):
        raise SendFailed("This name leads to an address that is not called.", code="address_not_allowed")
    return found


def _looked_up(target: Target, seconds: float) -> tuple[Address, ...]:
    """Ask the system's resolver, which knows no timeout, from a thread that may be left behind."""
    found: list[tuple[Any, ...]] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found.clear()  # no such name: told below, like a resolver that does not answer

    asking = threading.Thread(target=ask, name="outbound-resolver", daemon=True)
    asking.start()
    asking.join(seconds)
    if asking.is_alive() or not found:
        raise SendFailed("There is no machine of this name.", code="name_not_resolved")
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return tuple(ip_address(text) for text in texts)


def _exchange(
    target: Target, addresses: tuple[Address, ...], headers: Mapping[str, str], body: bytes, clock: _Clock
) -> tuple[int, str]:
    url = httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    backend = _PinnedBackend(addresses, clock)
    with (
        _named_failures(),
        httpcore2.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool,
        pool.stream("POST", url, headers=list(headers.items()), content=body) as response,
    ):
        waits = [value for name, value in response.headers if name.lower() == b"retry-after"]
        return response.status, waits[0].decode("latin-1") if waits else ""


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise SendFailed(code="timeout") from error
    except httpcore2.ConnectError as error:
        raise SendFailed(code="connect_failed") from error
    except httpcore2.NetworkError as error:
        raise SendFailed(code="connection_lost") from error
    except httpcore2.ProtocolError as error:
        raise SendFailed(code="bad_answer") from error


class _Clock:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._started = time.monotonic()

    def left(self) -> float:
        """Return the seconds that remain; raises ReadTimeout when none do."""
        left = self._started + self.limits.total_seconds - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return left

    def passed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)


class _PinnedBackend(httpcore2.NetworkBackend):
    """Connects to the checked addresses, whatever host it is asked for."""

    def __init__(self, addresses: tuple[Address, ...], clock: _Clock) -> None:
        self._addresses = addresses[:_MOST_ADDRESSES]
        self._clock = clock
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        ends_at = time.monotonic() + min(self._clock.limits.connect_seconds, self._clock.left())
        failure: httpcore2.NetworkError | httpcore2.TimeoutException = httpcore2.ConnectTimeout()
        for address in self._addresses:
            left = ends_at - time.monotonic()
            if left <= 0:
                break
            try:
                stream = self._plain.connect_tcp(str(address), port, left, None, ())
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _BoundedStream(stream, self._clock)
        raise failure


class _BoundedStream(httpcore2.NetworkStream):
    """A connection that ends when the call's time or the answer's bytes are used up.

    A timeout for each read would let a receiver that drips a byte a second hold a worker for hours.
    """

    def __init__(self, stream: httpcore2.NetworkStream, clock: _Clock, *, read_bytes: int = 0) -> None:
        self._stream = stream
        self._clock = clock
        self._read_bytes = read_bytes

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        chunk = self._stream.read(min(max_bytes, 16_384), self._clock.left())
        self._read_bytes += len(chunk)
        if self._read_bytes > self._clock.limits.answer_bytes:
            raise SendFailed(code="answer_too_large")
        return chunk

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            secured = self._stream.start_tls(ssl_context, server_hostname, self._clock.left())
        except httpcore2.ConnectError as error:
            raise SendFailed(code="tls_failed") from error
        return _BoundedStream(secured, self._clock, read_bytes=self._read_bytes)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
