"""Nothing is left behind: not by failures, not by killed processes, and never a row without its file."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.utils import timezone

from claims import storage
from claims.errors import EmptyFile, FileTooLarge, NotAVideo
from claims.intake import clean_name, quarantine_stream, sweep_quarantine
from claims.models import VideoFile
from claims.storage import Publication, local_path, new_key, open_stored, sweep_publications
from tenancy.scope import tenant_scope
from tests.claims.handing_in import clip, files_in, receive
from tests.people import Person

# Who stores asks the storage's breaker, which is a row.
pytestmark = pytest.mark.django_db

LATER = timezone.now() + timedelta(hours=2)


def aged(path: Path) -> None:
    old = (timezone.now() - timedelta(hours=2)).timestamp()
    os.utime(path, (old, old))


def test_quarantine_stream_hashes_what_it_writes_for_its_owner_alone(acme: object) -> None:
    data = clip()
    upload = quarantine_stream([data[:7], data[7:1000], data[1000:]], name="drive.mp4")
    assert upload.path.read_bytes() == data
    assert upload.path.stat().st_mode & 0o777 == 0o600
    assert upload.path.parent.stat().st_mode & 0o777 == 0o700
    assert (upload.size_bytes, upload.name) == (len(data), "drive.mp4")


@pytest.mark.parametrize(
    ("content", "error"), [(b"", EmptyFile), (b"letter", NotAVideo), (b"G" * 10_000, NotAVideo)], ids=["0", "6", "10k"]
)
def test_quarantine_stream_leaves_nothing_of_what_it_refuses(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        quarantine_stream([content], name="x")
    assert files_in(settings.QUARANTINE_DIR) == []


def test_quarantine_stream_stops_reading_at_the_cap(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 10_000
    read = 0

    def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield clip()[:4000]

    with pytest.raises(FileTooLarge):
        quarantine_stream(endless(), name="x")
    assert read == 3
    assert files_in(settings.QUARANTINE_DIR) == []


def test_sweep_quarantine_removes_the_dead_and_spares_the_living() -> None:
    dead = quarantine_stream([clip("a")], name="a")
    living = quarantine_stream([clip("b")], name="b")
    aged(dead.path)
    assert sweep_quarantine(now=timezone.now()) == 1
    assert files_in(settings.QUARANTINE_DIR) == [living.path.name]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\crash.mp4", "crash.mp4"),
        ("a\r\nX-Evil: 1\x00.mp4", "aX-Evil: 1.mp4"),
        ("  spaced .mp4 ", "spaced .mp4"),
        ("ü" * 300, "ü" * 255),
        ("..", ".."),
    ],
)
def test_clean_name_keeps_the_last_part_in_visible_characters(given: str, kept: str) -> None:
    assert clean_name(given) == kept


def test_new_key_tells_the_tenant_and_the_year_and_nothing_else(cleo: Person) -> None:
    key = new_key(tenant_id=cleo.tenant.id, extension="mp4", now=timezone.now())
    tenant, year, name = key.split("/")
    assert (tenant, year) == (str(cleo.tenant.id), f"{timezone.now():%Y}")
    assert len(name) == len("01999999-9999-7999-9999-999999999999.mp4")


def test_stored_files_are_closed_to_other_users(cleo: Person) -> None:
    video = receive(cleo).claim.video
    assert (Path(settings.MEDIA_ROOT) / video.storage_key).stat().st_mode & 0o007 == 0


def test_publication_moves_the_file_without_copying_it(cleo: Person, tmp_path: Path) -> None:
    source = tmp_path / "film"
    source.write_bytes(b"film")
    inode = source.stat().st_ino
    with tenant_scope(cleo.tenant.id), Publication() as publication:
        publication.store_file(source, "k/film.mp4")
        publication.keep()
    assert (Path(settings.MEDIA_ROOT) / "k/film.mp4").stat().st_ino == inode
    assert not source.exists()
    assert files_in(settings.QUARANTINE_DIR) == []


def test_publication_takes_back_what_no_row_names(cleo: Person) -> None:
    with tenant_scope(cleo.tenant.id), pytest.raises(KeyError), Publication() as publication:
        publication.store_bytes(b"picture", "k/one.jpg")
        publication.store_bytes(b"picture", "k/two.jpg")
        raise KeyError
    assert files_in(settings.MEDIA_ROOT) == []
    assert files_in(settings.QUARANTINE_DIR) == []


def test_publication_keeps_what_a_lost_commit_has_named_after_all(cleo: Person) -> None:
    """The connection broke during the commit, and the commit had happened: the row decides."""
    video = receive(cleo).claim.video
    with tenant_scope(cleo.tenant.id), pytest.raises(ConnectionError), Publication() as publication:
        publication._announce(video.storage_key)
        raise ConnectionError
    assert files_in(settings.MEDIA_ROOT) == [video.storage_key]


def test_sweep_publications_settles_what_a_killed_process_left(cleo: Person) -> None:
    video = receive(cleo).claim.video
    (Path(settings.MEDIA_ROOT) / "k").mkdir()
    (Path(settings.MEDIA_ROOT) / "k/orphan.mp4").write_bytes(b"film")
    note = Path(settings.QUARANTINE_DIR) / "abc.publishing"
    note.write_text(f"{video.storage_key}\nk/orphan.mp4\nk/never-written.mp4\n", encoding="utf-8")
    assert sweep_publications(now=timezone.now()) == 0  # fresh: its process may be at work
    aged(note)
    assert sweep_publications(now=timezone.now()) == 1
    assert files_in(settings.MEDIA_ROOT) == [video.storage_key]
    assert not note.exists()


def test_local_path_hands_out_a_copy_where_the_store_is_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    class Remote(Storage):
        """Like an object store: can be read, has no paths."""

        def _open(self, name: str, mode: str = "rb") -> ContentFile[bytes]:
            return ContentFile(b"film", name=name)

    monkeypatch.setattr(storage, "default_storage", Remote())
    with local_path("k/film.mp4") as path:
        assert path.read_bytes() == b"film"
    assert not path.exists()


def test_a_video_that_was_never_stored_cannot_be_opened(cleo: Person) -> None:
    with tenant_scope(cleo.tenant.id), pytest.raises(FileNotFoundError):
        open_stored(f"{cleo.tenant.id}/2026/none.mp4")
    assert VideoFile is not None
