"""Idempotency keys: a creating request that is sent twice has one effect and one answer.

The row is inserted and committed before the handler runs (one INSERT against a unique constraint, never a look first),
the answer is stored after it. When the process dies in between, the row stays without an answer until `locked_until`;
then the next try takes it over and runs the handler again. That second run is safe because every creating service has a
unique constraint of its own (claim number, video hash, decision per version): the worst case is that the retry gets
"exists already" in place of the first answer, never a second effect.

Stored: what succeeded and what was refused for the body itself (400, 413, 415, 422). Not stored, because the same
request may work later: 401, 403, 404, 409, 429 and every 5xx; those had no effect to protect.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from observability.errors import FieldProblem, InvalidInput, TooLarge, UnsupportedContentType, UnusableContent
from tenancy.base_api import TenantAPIView
from tenancy.errors import IdempotencyInProgress, IdempotencyKeyReused
from tenancy.models import IdempotencyRecord
from tenancy.scope import every_tenant

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
_KEY_SHAPE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?", re.ASCII)
# Longer than any request may run (the web server ends one after 120 s).
_LOCK = timedelta(seconds=180)
_STORED_REFUSALS = frozenset({400, 413, 415, 422})
_REFUSALS = (InvalidInput, TooLarge, UnsupportedContentType, UnusableContent, ValidationError)
_STORED_HEADERS = ("Location", "ETag")


@dataclass(frozen=True)
class _Hold:
    """Our right to run the request: the row and the lock we wrote into it."""

    record_id: UUID
    locked_until: datetime


class IdempotentCreate(TenantAPIView):
    """A view whose POST honours `Idempotency-Key`. Subclasses define `post` as usual."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(HEADER)
        if request.method == "POST" and key is not None:
            # `dispatch` looks the handler up after this: the instance's wrapped one is found before the class's.
            handler = getattr(self, "post")  # noqa: B009  # every subclass has one
            setattr(self, "post", functools.partial(self._answer_once, handler, valid_key(key)))  # noqa: B010

    def repeats_known_key(self, request: Request) -> bool:
        """Whether this caller has used the request's key here before, so that an answer may be stored for it."""
        key, principal_id = request.headers.get(HEADER), UUID(self.principal.id)
        rows = IdempotencyRecord.objects.filter(principal_id=principal_id, route=_route(request), key=key)
        return key is not None and rows.exists()

    def fingerprint(self, request: Request) -> str:
        """Return the SHA-256 of what the request says; same fields and same file bytes give the same one."""
        return fingerprint_of(request.data)

    def stored_data(self, data: Any) -> Any:
        """Return the answer's data as it may be kept and shown again (a secret is shown once, so it is taken out)."""
        return data

    def _answer_once(
        self, handler: Callable[..., HttpResponse], key: str, request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        mark = self.fingerprint(request)
        principal_id = UUID(self.principal.id)
        held = _reserve(principal_id=principal_id, route=_route(request), key=key, fingerprint=mark, now=timezone.now())
        if isinstance(held, IdempotencyRecord):
            return _replay(held)
        with _Running(held) as running:
            response = self._answer(handler, request, *args, **kwargs)
            if isinstance(response, Response) and _is_stored(response.status_code):
                running.keep(response, self.stored_data(response.data))
        return response

    def _answer(
        self, handler: Callable[..., HttpResponse], request: Request, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            return handler(request, *args, **kwargs)
        except _REFUSALS as error:
            # Turned into its answer here rather than by `dispatch`, so that it can be stored.
            return self.handle_exception(error)


class SecretShownOnce(IdempotentCreate):
    """A view whose answer holds a secret: a replayed answer does not."""

    def stored_data(self, data: Any) -> Any:
        return {**data, "secret": None} if "secret" in data else data


class _Running:
    """The time between reserving a key and its answer; without an answer worth keeping the key is free again."""

    def __init__(self, hold: _Hold) -> None:
        self._hold = hold
        self._kept = False

    def __enter__(self) -> _Running:
        return self

    def __exit__(self, *_exc: object) -> None:
        if not self._kept:
            self._ours().delete()

    def keep(self, response: Response, data: Any) -> None:
        headers = {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers}
        # The answer's text, so that a replay is the same bytes (PostgreSQL would reorder an object's keys).
        text = JSONRenderer().render(data).decode()
        self._ours().update(
            response_status=response.status_code,
            response_body=text,
            response_headers={**headers, "Content-Type": response.content_type or "application/json"},
        )
        self._kept = True

    def _ours(self) -> Any:
        return IdempotencyRecord.objects.filter(
            id=self._hold.record_id, locked_until=self._hold.locked_until, response_status__isnull=True
        )


def valid_key(key: str) -> str:
    """Return the key; raises InvalidInput unless it is 1–255 printable ASCII characters."""
    if _KEY_SHAPE.fullmatch(key) is None:
        problem = FieldProblem("/", "invalid_idempotency_key", "1 to 255 printable ASCII characters.")
        raise InvalidInput("The Idempotency-Key is not valid.", code="invalid_idempotency_key", problems=[problem])
    return key


def fingerprint_of(data: Any) -> str:
    """Return the SHA-256 of parsed JSON, or of form fields and the bytes of their files."""
    plain = _fingerprintable(dict(data.lists()) if isinstance(data, QueryDict) else data)
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _fingerprintable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _fingerprintable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_fingerprintable(item) for item in value]
    if isinstance(value, UploadedFile):
        # Upload handlers that hash while they stream leave the digest on the file.
        digest = getattr(value, "sha256", None) or hashlib.file_digest(value, "sha256").hexdigest()
        value.seek(0)
        return {"file": digest, "size": value.size}
    return value


def _route(request: Request) -> str:
    return f"{request.method} {request.path}"[:120]


def purge_expired_records(*, now: datetime) -> int:
    """Delete answers older than their time to live; return how many (a timer calls this)."""
    with every_tenant("expired idempotency records"):
        deleted, _ = IdempotencyRecord.objects.filter(expires_at__lt=now).delete()
        return int(deleted)


def _reserve(*, principal_id: UUID, route: str, key: str, fingerprint: str, now: datetime) -> IdempotencyRecord | _Hold:
    """Return the right to run the request, or the record with the stored answer.

    Raises IdempotencyKeyReused for another body, IdempotencyInProgress while the first request runs.
    """
    fresh = IdempotencyRecord(
        principal_id=principal_id,
        route=route,
        key=key,
        fingerprint=fingerprint,
        locked_until=now + _LOCK,
        expires_at=now + timedelta(seconds=settings.IDEMPOTENCY_TTL),
    )
    IdempotencyRecord.objects.bulk_create([fresh], ignore_conflicts=True)
    record: IdempotencyRecord | None = IdempotencyRecord.objects.filter(
        principal_id=principal_id, route=route, key=key
    ).first()
    if record is None:
        raise IdempotencyInProgress  # its holder has just given it back; the next try gets it
    if record.id == fresh.id:
        return _Hold(record.id, fresh.locked_until)
    if record.expires_at > now:
        if record.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        if record.response_status is not None:
            return record
        if record.locked_until > now:
            raise IdempotencyInProgress
    return _take_over(record, fresh)


def _take_over(record: IdempotencyRecord, fresh: IdempotencyRecord) -> _Hold:
    """Make an expired or abandoned row ours by one conditional write."""
    taken = IdempotencyRecord.objects.filter(
        id=record.id, locked_until=record.locked_until, expires_at=record.expires_at
    ).update(
        fingerprint=fresh.fingerprint,
        locked_until=fresh.locked_until,
        expires_at=fresh.expires_at,
        response_status=None,
        response_body=None,
        response_headers={},
    )
    if not taken:
        raise IdempotencyInProgress
    return _Hold(record.id, fresh.locked_until)


def _is_stored(status: int) -> bool:
    return 200 <= status < 300 or status in _STORED_REFUSALS


def _replay(record: IdempotencyRecord) -> HttpResponse:
    headers = {**record.response_headers, REPLAYED_HEADER: "true"}
    return HttpResponse((record.response_body or "").encode(), status=record.response_status, headers=headers)
