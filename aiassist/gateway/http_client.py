"""The HTTP client below both SDKs: follows no redirect and reads no endless answer. The one file that knows httpx2."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2

from aiassist.gateway.sdk_calls import BodyTooLarge

# A schema-valid answer is at most 100,000 characters (schema.py); around it stand the envelope and JSON's escapes.
MAX_BODY_BYTES = 1_000_000
CONNECT_SECONDS = 5.0  # a healthy endpoint answers the handshake in far less; a dead one must not eat the deadline


def bounded_client(*, timeout_seconds: float) -> httpx2.Client:
    """Return a client for one call; the caller closes it.

    A redirect would carry claim data to a host that nobody configured.
    """
    timeout = httpx2.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS))
    return httpx2.Client(
        timeout=timeout,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},  # a few unpacked kilobytes can be a gigabyte
        event_hooks={"response": [_bound_body]},
    )


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
