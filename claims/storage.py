"""Stored files: Django's default storage, random keys under the tenant's id, nothing left behind by what fails.

A file is stored before the row that names it is committed, so a crash between the two can only leave a file without
a row, never a row without a file. A note in quarantine names the keys of every unfinished publication; the sweeper
reads the notes that nobody finished and removes the files that no row names. It never has to list the store.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import DatabaseError

from claims.errors import StorageUnavailable
from claims.models import Evidence, VideoFile
from observability.fallbacks import note_fallback
from observability.guarding import STORAGE, permit_for, tell_outcome
from observability.ids import new_id
from tenancy.scope import every_tenant

log = structlog.get_logger(__name__)

UPLOAD_REFUSED = "upload-refused"
_RETRY_AFTER_SECONDS = 30
_NOTE_SUFFIX = ".publishing"
# No commit takes this long; a note this old belongs to a process that is gone.
_STALE_AFTER = timedelta(hours=1)


def new_key(*, tenant_id: UUID, extension: str, now: datetime) -> str:
    """Return a fresh random key: tenant, year, UUID; nothing of the caller's is in it."""
    return f"{tenant_id}/{now:%Y}/{new_id()}.{extension}"


@contextlib.contextmanager
def storing() -> Iterator[None]:
    """Do the block's writes to the disk or the store; raises StorageUnavailable when they cannot be done.

    While the storage's breaker is open nothing is tried. A full disk, a read-only file system, a store that is away:
    all of them heal without the caller, who may come back.
    """
    permit = permit_for(STORAGE)
    if permit is None:
        note_fallback(UPLOAD_REFUSED)
        raise StorageUnavailable(retry_after_seconds=_RETRY_AFTER_SECONDS)
    began, failed = time.monotonic(), True
    try:
        yield
        failed = False
    except OSError as problem:
        log.error("storage_unavailable", error=errno.errorcode.get(problem.errno or 0, type(problem).__name__))
        raise StorageUnavailable(retry_after_seconds=_RETRY_AFTER_SECONDS) from problem
    finally:
        tell_outcome(permit, failed=failed, seconds=time.monotonic() - began)


class Publication:
    """Files stored on the way to a commit; what `keep` was not called for is removed at the end of the block."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._kept = False
        self._note = Path(settings.QUARANTINE_DIR) / f"{secrets.token_hex(16)}{_NOTE_SUFFIX}"

    def __enter__(self) -> Publication:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A commit whose answer was lost may have happened: then the row decides, not the exception.
        if self._kept or remove_unnamed(self._keys):
            self._note.unlink(missing_ok=True)

    def keep(self) -> None:
        """The rows that name the files are committed."""
        self._kept = True

    def store_file(self, path: Path, key: str) -> None:
        """Move a file into the store: a rename where both lie on one file system."""
        with storing():
            self._announce(key)
            with path.open("rb") as stream:
                default_storage.save(key, _Movable(stream, path))
            path.unlink(missing_ok=True)

    def store_bytes(self, content: bytes, key: str) -> None:
        """Write a small file into the store."""
        with storing():
            self._announce(key)
            default_storage.save(key, ContentFile(content))

    def _announce(self, key: str) -> None:
        self._note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._note.open("a", encoding="utf-8") as note:
            note.write(f"{key}\n")
        self._keys.append(key)


if TYPE_CHECKING:
    BytesFile = File[bytes]
else:
    BytesFile = File  # generic in the stubs only


class _Movable(BytesFile):
    """A file that Django's file storage may rename instead of copying."""

    def __init__(self, stream: Any, path: Path) -> None:
        super().__init__(stream, name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def open_stored(key: str) -> BytesFile:
    """Open a stored file for reading; raises FileNotFoundError."""
    return default_storage.open(key, "rb")


@contextlib.contextmanager
def local_path(key: str) -> Iterator[Path]:
    """Hand out the stored file as a path; a copy for the block where the store is not a local folder."""
    try:
        path = Path(default_storage.path(key))
    except NotImplementedError:
        with tempfile.TemporaryDirectory(prefix="claimwright-") as folder:
            path = Path(folder) / "video"
            with open_stored(key) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, 1024 * 1024)
            yield path
    else:
        yield path


def remove_unnamed(keys: list[str]) -> bool:
    """Remove the files that no row names; False when that could not be found out (the sweeper asks again)."""
    if not keys:
        return True
    try:
        with every_tenant("which of these files does a row name"):
            named = set(VideoFile.objects.filter(storage_key__in=keys).values_list("storage_key", flat=True))
            images = Evidence.objects.exclude(image_key="").filter(image_key__in=keys)
            named |= set(images.values_list("image_key", flat=True))
    except DatabaseError as error:
        log.warning("publication_undecided", files=len(keys), error=type(error).__name__)
        return False
    for key in set(keys) - named:
        default_storage.delete(key)
    return True


def sweep_publications(*, now: datetime) -> int:
    """Finish what killed processes left half published; return how many notes were settled."""
    limit = (now - _STALE_AFTER).timestamp()
    settled = 0
    for note in Path(settings.QUARANTINE_DIR).glob(f"*{_NOTE_SUFFIX}"):
        try:
            if note.stat().st_mtime >= limit:
                continue
            keys = note.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            continue  # another process settled it
        if remove_unnamed(keys):
            note.unlink(missing_ok=True)
            settled += 1
    if settled:
        log.warning("publications_swept", notes=settled)
    return settled
