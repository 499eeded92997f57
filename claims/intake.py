"""Where a video enters the house: streamed into quarantine with a running hash and a byte cap, sniffed, probed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import structlog
from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from aiassist.video.decoding import VideoProbe, probe_video
from aiassist.video.sniff import SNIFF_BYTES, demuxer_for
from claims.errors import EmptyFile, FileTooLarge, IncompleteUpload, NotAVideo
from claims.storage import storing
from observability.errors import FieldProblem, InvalidInput
from tenancy.quotas import require_room_for

log = structlog.get_logger(__name__)

VIDEO_FIELD = "video"
# A file's name is metadata for people; the column holds this much.
MAX_NAME_LENGTH = 255
# Big enough that Python's share per byte is small, small enough that eight uploads at once stay under 32 MB.
_CHUNK_BYTES = 256 * 1024
# What the text fields and part headers may add to the file; Django refuses more text than this by itself.
_FORM_BYTES = 2 * 1024 * 1024
# An answer sent while the client still writes is lost to most clients (the kernel answers with a reset), so the rest
# is read and thrown away first: for at most this long, and shorter for callers that were refused unheard.
_DRAIN_SECONDS = 20.0
_DRAIN_UNHEARD_SECONDS = 5.0
# An upload that writes nothing for this long is dead; the file of a killed process is as old as its last chunk.
_STALE_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class QuarantinedFile:
    """A whole file in quarantine: nothing but its first bytes was looked at yet."""

    path: Path
    sha256: str
    size_bytes: int
    name: str

    def discard(self) -> None:
        """Remove the file; gone already is fine."""
        self.path.unlink(missing_ok=True)


class _Writer:
    """Writes one file into quarantine, chunk by chunk; refuses it as soon as it is too large or no video."""

    def __init__(self, name: str, max_bytes: int) -> None:
        folder = Path(settings.QUARANTINE_DIR)
        self._name = clean_name(name)
        self._max_bytes = max_bytes
        self._path = folder / f"{secrets.token_hex(16)}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with storing():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._stream = os.fdopen(os.open(self._path, flags, 0o600), "wb", buffering=0)
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        self._head = b""

    def write(self, chunk: bytes) -> None:
        self._size_bytes += len(chunk)
        if self._size_bytes > self._max_bytes:
            raise FileTooLarge(f"The file is larger than {self._max_bytes} bytes.")
        if len(self._head) < SNIFF_BYTES:
            self._head += chunk[: SNIFF_BYTES - len(self._head)]
            if len(self._head) == SNIFF_BYTES:
                self._refuse_other_content()
        self._hash.update(chunk)
        try:
            self._write_through(chunk)
        except OSError as problem:
            with storing():  # tells the breaker, and the caller to come back
                raise problem

    def _write_through(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._stream.write(rest) :]

    def finish(self) -> QuarantinedFile:
        if not self._size_bytes:
            raise EmptyFile(problems=[FieldProblem(f"/{VIDEO_FIELD}", "empty_file", EmptyFile.message)])
        if len(self._head) < SNIFF_BYTES:
            self._refuse_other_content()
        self._stream.close()
        return QuarantinedFile(self._path, self._hash.hexdigest(), self._size_bytes, self._name)

    def abandon(self) -> None:
        self._stream.close()
        self._path.unlink(missing_ok=True)

    def _refuse_other_content(self) -> None:
        if demuxer_for(self._head) is None:
            raise NotAVideo


class VideoUpload(FileUploadHandler):
    """Django upload handler for a form with at most one file, in the field `video`; see `receiving_upload`.

    Parses the body itself (the handler's right), because only so it sees whether the body came whole: a connection
    that breaks between two parts looks to Django like a shorter form.
    """

    def __init__(self, request: HttpRequest, *, max_bytes: int) -> None:
        super().__init__(request)
        self.received: QuarantinedFile | None = None
        self.heard = False
        self._max_bytes = max_bytes

    def handle_raw_input(
        self,
        input_data: Any,
        META: Mapping[str, Any],  # Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> tuple[Any, Any]:
        self.heard = True
        if content_length > self._max_bytes + _FORM_BYTES:
            raise FileTooLarge(f"The file is larger than {self._max_bytes} bytes.")
        body = _Body(input_data)
        part = _VideoPart(self._max_bytes)
        try:
            # Field text is UTF-8 whatever charset the request claims.
            form = MultiPartParser(dict(META), cast(Any, body), [part], "utf-8").parse()
            if body.count < content_length:
                raise IncompleteUpload
        except MultiPartParserError as problem:
            part.abandon()
            raise InvalidInput("The multipart body is malformed.", code="malformed_body") from problem
        except BaseException:
            part.abandon()
            raise
        self.received = part.received
        return form

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        raise NotImplementedError("the parts are read by _VideoPart")

    def file_complete(self, file_size: int) -> None:
        return None

    def discard(self) -> None:
        """Remove what is still in quarantine."""
        if self.received is not None:
            self.received.discard()


class _VideoPart(FileUploadHandler):
    """Receives the file part of the form."""

    chunk_size = _CHUNK_BYTES

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self.received: QuarantinedFile | None = None
        self._max_bytes = max_bytes
        self._writer: _Writer | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        if field_name != VIDEO_FIELD:
            raise InvalidInput(problems=[FieldProblem(f"/{field_name[:64]}", "unknown_field", "No file belongs here.")])
        if self._writer is not None:
            raise InvalidInput(problems=[FieldProblem(f"/{VIDEO_FIELD}", "too_many_files", "Only one file fits.")])
        self._writer = _Writer(file_name, self._max_bytes)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        assert self._writer is not None
        self._writer.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> None:
        assert self._writer is not None
        self.received = self._writer.finish()

    def upload_interrupted(self) -> None:
        raise IncompleteUpload

    def abandon(self) -> None:
        if self._writer is not None:
            self._writer.abandon()


class _Body:
    """The request's body with a count of what was really read."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.count = 0

    def read(self, size: int | None = None, /) -> bytes:
        try:
            data: bytes = self._source.read(size)
        except UnreadablePostError as problem:
            raise IncompleteUpload from problem
        self.count += len(data)
        return data


@contextlib.contextmanager
def receiving_upload(request: HttpRequest) -> Iterator[VideoUpload]:
    """Stream the request's `video` into quarantine while its form is read; leave nothing there at the end.

    Enter it before anything touches `request.POST` (CSRF does, for session clients). What the block has not moved
    away is removed; an unread rest of the body is drained so that the client can hear a refusal.
    """
    upload = VideoUpload(request, max_bytes=settings.MAX_UPLOAD_BYTES)
    request.upload_handlers = [upload]
    try:
        yield upload
    finally:
        upload.discard()
        _drain(request, seconds=_DRAIN_SECONDS if upload.heard else _DRAIN_UNHEARD_SECONDS)


def refuse_without_room(*, content_length: str | None, now: datetime) -> None:
    """Raise QuotaExceeded when a body of this length surely holds a file that the tenant's storage has no room for.

    Asked before the body is read; what else may stand in the form is counted for the client.
    """
    length = int(content_length) if content_length and content_length.isascii() and content_length.isdigit() else 0
    if length > _FORM_BYTES:
        require_room_for(least_bytes=length - _FORM_BYTES, now=now)


def _drain(request: HttpRequest, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline and request.read(_CHUNK_BYTES):
            pass
    except UnreadablePostError:
        log.info("upload_client_left")


def quarantine_stream(chunks: Iterable[bytes], *, name: str) -> QuarantinedFile:
    """Put a file that does not come over HTTP into quarantine; raises what an upload would be refused with."""
    writer = _Writer(name, settings.MAX_UPLOAD_BYTES)
    try:
        for chunk in chunks:
            writer.write(chunk)
        return writer.finish()
    except BaseException:
        writer.abandon()
        raise


def inspect_upload(upload: QuarantinedFile) -> VideoProbe:
    """Return what the file is after one picture of it was decoded, in a child process with a forced demuxer.

    Raises DecodeFailed `unreadable_video` with the reason.
    """
    return probe_video(upload.path)


def clean_name(name: str) -> str:
    """Return the file's own name without folders and control characters, at most 255 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in last if character.isprintable())
    return printable.strip()[:MAX_NAME_LENGTH]


def sweep_quarantine(*, now: datetime) -> int:
    """Remove what killed processes left in quarantine; return how many files."""
    folder = Path(settings.QUARANTINE_DIR)
    limit = (now - _STALE_AFTER).timestamp()
    removed = 0
    for path in folder.glob("*.part"):
        try:
            if path.stat().st_mtime < limit:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue  # another process swept it
    if removed:
        log.warning("quarantine_swept", files=removed)
    return removed
