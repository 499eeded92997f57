"""Strong entity tags: a reader is told 304, a writer with an old version is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from django.http import HttpRequest
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from observability.errors import PreconditionFailed


class Versioned(Protocol):
    """A row that counts its changes."""

    id: UUID
    version: int


def etag_for(row: Versioned, *parts: object) -> str:
    """Return the strong tag of a row's version; `parts` add whatever else the answer shows."""
    text = "|".join(str(part) for part in (row.id, row.version, *parts))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def answer_with_etag(request: Request, data: Mapping[str, object], etag: str) -> Response:
    """Return the data with its tag, or 304 when the client has that version already."""
    headers = {"ETag": etag}
    if etag in _without_weakness(request.headers.get("If-None-Match", "")):
        return Response(status=304, headers=headers)
    return Response(data, headers=headers)


def require_match(request: Request | HttpRequest, etag: str) -> None:
    """Raise PreconditionFailed when If-Match names another version; without the header nothing is demanded."""
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return
    tags = parse_etags(wanted)
    if tags != ["*"] and etag not in tags:
        raise PreconditionFailed


def _without_weakness(header: str) -> list[str]:
    """Return the tags of If-None-Match, which compares weakly (RFC 9110, 13.1.2): a compressing proxy adds W/."""
    return [tag.removeprefix("W/") for tag in parse_etags(header)]
