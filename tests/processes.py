"""Real processes for harnesses and journeys: a site of its own (data folder, database, environment), its worker and
its web server as process groups that can be stopped, killed and started again."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from observability.metrics_folder import prepare_metrics_folder

ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 60.0
_SQLITE_NAME = "site.sqlite3"


class NotInTime(AssertionError):
    """Something that a test waits for did not happen."""


@dataclass
class Site:
    """One installation: everything that its processes share."""

    data_dir: Path
    environment: dict[str, str]
    running: list[Process] = field(default_factory=list)

    def manage(self, *arguments: str, **extra: str) -> str:
        """Run a management command to its end and return what it wrote to standard output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.environment, **extra},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"manage.py {' '.join(arguments)}: exit {done.returncode}\n{done.stderr[-3000:]}")
        return done.stdout

    def manage_json(self, *arguments: str) -> Any:
        return json.loads(self.manage(*arguments).strip().splitlines()[-1])

    def start_worker(self, *arguments: str, concurrency: int = 2) -> Process:
        """Start `manage.py worker` and wait until it takes jobs."""
        process = self._start("worker", "manage.py", "worker", "--json", f"--concurrency={concurrency}", *arguments)
        process.wait_until(lambda: '"ready": true' in process.output(), "the worker says that it is ready")
        return process

    def start_server(self, *, workers: int = 1, port: int = 0) -> Process:
        """Start gunicorn, on a free port if none is given, and wait until it answers; `process.url` is its address."""
        port = port or free_port()
        bind = ("--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--threads", "4", "--preload")
        process = self._start("server", "-m", "gunicorn", "config.wsgi", *bind, "--no-control-socket")
        process.url = f"http://127.0.0.1:{port}"
        process.wait_until(lambda: answers(f"{process.url}/health"), "the server answers")
        return process

    def _start(self, name: str, *arguments: str) -> Process:
        log = self.data_dir / f"{name}-{len(self.running)}.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        process = Process(popen, log)
        self.running.append(process)
        return process


@dataclass
class Process:
    """A child that leads a process group of its own."""

    popen: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL the whole group at once, as a power cut or the out-of-memory killer would."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM, *, patience_seconds: float = 20.0) -> int:
        """Ask the leading process to end and return its exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        try:
            return self.popen.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise NotInTime(f"it did not end\n{self.output()[-3000:]}") from None

    def members(self) -> list[int]:
        """Return the ids of the living processes of the group (Linux)."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError, ProcessLookupError):
                    if os.getpgid(int(folder.name)) == self.popen.pid and "Z" not in _state(folder):
                        found.append(int(folder.name))
        return sorted(found)

    def pool_children(self) -> list[int]:
        """Return the ids of Celery's pool children: grandchildren of the supervisor."""
        members = self.members()
        celery = [pid for pid in members if _parent(pid) == self.popen.pid]
        return [pid for pid in members if _parent(pid) in celery]

    def wait_until(self, true: Callable[[], object], what: str, *, seconds: float = _START_SECONDS) -> None:
        """Wait; raises NotInTime with the process's log when it ends or time is up."""

        def check() -> object:
            if self.popen.poll() is not None:
                raise NotInTime(f"{what}: it ended with {self.popen.returncode}\n{self.output()[-3000:]}")
            return true()

        wait_until(check, what, seconds=seconds, log=self.output)


def wait_until(
    true: Callable[[], object], what: str, *, seconds: float = _START_SECONDS, log: Callable[[], str] | None = None
) -> None:
    """Look again and again until it is true; raises NotInTime."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise NotInTime(f"{what}: not within {seconds} s\n{log()[-3000:] if log else ''}")
        time.sleep(0.1)


def answers(url: str, **headers: str) -> bool:
    """Whether an address answers with 200."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def read(url: str, **headers: str) -> str:
    """Return the body at an address."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return str(answer.read().decode())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def own_site(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Site]:
    """Give a migrated site in the folder; whatever it started is killed at the end.

    The database is SQLite in the folder, or a database of its own on the server that `DATABASE_URL` names.
    """
    with _own_database(folder) as database_url:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PROMETHEUS_") and name != "DEBUG"  # a site is as users start it
        }
        site = Site(
            folder,
            {
                **inherited,
                "DATA_DIR": str(folder),
                "DATABASE_URL": database_url,
                "SECRET_KEY": secrets.token_urlsafe(64),
                "CELERY_BROKER_URL": os.environ.get("HARNESS_BROKER_URL", "filesystem://"),
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "LOG_FORMAT": "json",
                **prepare_metrics_folder(folder / "metrics", wipe=True),
                **(environment or {}),
            },
        )
        try:
            if database_url.startswith("sqlite"):
                shutil.copyfile(_migrated(), folder / _SQLITE_NAME)
            site.manage("migrate", "-v0")
            yield site
        finally:
            for process in site.running:
                process.kill()


@cache
def _migrated() -> Path:
    """Return a migrated SQLite file, made once per process: a site then has its own settings' tables to add alone."""
    folder = Path(tempfile.mkdtemp(prefix="claimwright-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    environment = {**os.environ, "DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / _SQLITE_NAME}"}
    Site(folder, environment).manage("migrate", "-v0")
    return folder / _SQLITE_NAME


@contextmanager
def _own_database(folder: Path) -> Iterator[str]:
    parts = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not parts.scheme.startswith("postgres"):
        yield f"sqlite:///{folder / _SQLITE_NAME}"
        return
    import psycopg

    name = f"cw_site_{secrets.token_hex(6)}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _state(folder: Path) -> str:
    return (folder / "stat").read_text().rpartition(")")[2].split()[0]


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
