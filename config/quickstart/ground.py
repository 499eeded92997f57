"""The data folder, its secret keys, the database and the static files."""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import sys
from base64 import b64encode
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from observability.errors import PlatformError
from tenancy.sealing import new_key
from tenancy.vault import key_text

# INSERT … RETURNING and row values, which the queue and its pages use (SQLite 3.35, March 2021).
_OLDEST_SQLITE = (3, 35, 0)


class GroundProblem(PlatformError):
    """The machine lacks something that cannot be worked around."""

    code = "quickstart_ground"


def check_machine() -> None:
    """Raise GroundProblem with one clear line where Python's SQLite is too old."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise GroundProblem(f"Python's SQLite is {sqlite3.sqlite_version}; 3.35 or newer is needed.")


def prepare_data_dir(folder: Path) -> None:
    """Create the folder (readable by its owner alone) and its secret keys, where they are not there yet."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("media", "quarantine", "broker/queue", "broker/control"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / "secret_key", secrets.token_urlsafe(64), replace=False)
        write_private(folder / "vault_master_key", key_text(1, new_key()), replace=False)
        # An Ed25519 key is any 32 random bytes.
        write_private(folder / "audit_signing_key", b64encode(secrets.token_bytes(32)).decode(), replace=False)
    except OSError as error:
        raise GroundProblem(f"The data folder {folder} cannot be written: {error.strerror}.") from error


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file that only its owner can read; an existing one is kept unless `replace`."""
    if path.exists() and not replace:
        return
    partial = path.with_suffix(f".{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def restart_in(folder: Path) -> None:
    """Replace this process by the same command with the folder as its DATA_DIR, so that settings are read from it."""
    environment = {**os.environ, "DATA_DIR": str(folder)}
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606  # the very same command


def build_database() -> None:
    """Apply the migrations."""
    call_command("migrate", verbosity=0, interactive=False)


def build_static_files() -> None:
    """Collect and compress static files where they changed since the last time."""
    stamp = settings.STATIC_ROOT / ".stamp"
    current = _static_fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == current:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(current, encoding="utf-8")


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            digest.update(f"{name} {storage.size(name)} {storage.get_modified_time(name)}\n".encode())
    return digest.hexdigest()
