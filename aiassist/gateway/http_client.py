"""The HTTP client below both SDKs: follows no redirect and reads no endless answer. The one file that knows httpx2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2

from aiassist.gateway.sdk_calls import BodyTooLarge
from observability.tracing import http_call_span

# A schema-valid answer is at most 100,000 characters (schema.py); around it stand the envelope and JSON's escapes.
MAX_BODY_BYTES = 1_000_000
CONNECT_SECONDS = 5.0  # a healthy endpoint answers the handshake in far less; a dead one must not eat the deadline


def bounded_client(*, timeout_seconds: float) -> httpx2.Client:
    """Return a client for one call; the caller closes it.

    A redirect would carry claim data to a host that nobody configured.
    """
    timeout = httpx2.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS))
    return _TracedClient(
        timeout=timeout,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},  # a few unpacked kilobytes can be a gigabyte
        event_hooks={"response": [_bound_body]},
    )


class _TracedClient(httpx2.Client):
    """A client whose every request is a span: the host, the verb and how it ended, never an address or a body."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        with http_call_span(method=request.method, server=request.url.host) as span:
            try:
                response = super().send(request, **options)
            except httpx2.HTTPError as error:
                span.failed(type(error).__name__)
                raise
            span.note(http__response__status_code=response.status_code)
            if response.status_code >= 400:
                span.failed(str(response.status_code))
        return response


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        left = MAX_BODY_BYTES
        for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise BodyTooLarge
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _bound_body(response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _BoundedStream(response.stream)
