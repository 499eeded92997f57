"""Byte ranges of a stored file over HTTP (RFC 9110, section 14): one range at a time, as players ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import parse_etags

_SPEC = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class ByteRange:
    """`first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class RangeNotSatisfiable(Exception):
    """The range lies outside the file."""


def range_of(header: str, size_bytes: int) -> ByteRange | None:
    """Return the range asked for; None for a header that must be ignored (malformed, several ranges, other units).

    Raises RangeNotSatisfiable.
    """
    match = _SPEC.fullmatch(header.strip())
    if match is None or (not match[1] and not match[2]):
        return None
    if not match[1]:
        suffix = int(match[2])
        if suffix == 0 or size_bytes == 0:
            raise RangeNotSatisfiable
        return ByteRange(max(0, size_bytes - suffix), size_bytes - 1)
    first = int(match[1])
    last = int(match[2]) if match[2] else size_bytes - 1
    if last < first and match[2]:
        return None
    if first >= size_bytes:
        raise RangeNotSatisfiable
    return ByteRange(first, min(last, size_bytes - 1))


@dataclass(frozen=True)
class Served:
    """What a range answer needs to know of a stored file; `etag` is strong and quoted."""

    size_bytes: int
    etag: str
    media_type: str
    disposition: str


def ranged_answer(request: HttpRequest, served: Served, stream: IO[bytes]) -> HttpResponseBase:
    """Return 200, 206, 304 or 416; takes over the stream and closes it with the answer."""
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": served.etag,
        "Content-Disposition": served.disposition,
        "X-Content-Type-Options": "nosniff",
    }
    if _unchanged(request, served.etag):
        stream.close()
        return HttpResponse(status=304, headers=headers)
    try:
        wanted = _wanted_range(request, served)
    except RangeNotSatisfiable:
        stream.close()
        return HttpResponse(status=416, headers=headers | {"Content-Range": f"bytes */{served.size_bytes}"})
    part = wanted or ByteRange(0, served.size_bytes - 1)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{served.size_bytes}"
    headers["Content-Length"] = str(part.length)
    status = 200 if wanted is None else 206
    if request.method == "HEAD":
        stream.close()
        return HttpResponse(status=status, headers=headers, content_type=served.media_type)
    answer = StreamingHttpResponse(
        _chunks(stream, part), status=status, headers=headers, content_type=served.media_type
    )
    # Closed also when the player hangs up before the first chunk was asked for.
    answer._resource_closers.append(stream.close)  # type: ignore[attr-defined]  # as FileResponse does it
    return answer


def _unchanged(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return known == ["*"] or etag in (value.removeprefix("W/") for value in known)


def _wanted_range(request: HttpRequest, served: Served) -> ByteRange | None:
    header = request.headers.get("Range")
    # If-Range compares strongly; a date is never the same as our ETag, so the whole file is sent.
    if header is None or request.headers.get("If-Range", served.etag).strip() != served.etag:
        return None
    return range_of(header, served.size_bytes)


def _chunks(stream: IO[bytes], part: ByteRange) -> Iterator[bytes]:
    with stream:
        stream.seek(part.first)
        left = part.length
        while left > 0:
            data = stream.read(min(_CHUNK_BYTES, left))
            if not data:
                return
            left -= len(data)
            yield data
