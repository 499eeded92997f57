"""Figures of real processes, read from /proc through the metrics folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability import processes
from observability.processes import process_facts, summed

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc on this system")


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A process that looks like a worker, and the file that one that has ended left behind."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    # exec: the shell's own words would stay otherwise
    child = subprocess.Popen([sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()", "worker"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdout and child.stdout.readline()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for pid in (child.pid, gone.pid):
        (tmp_path / f"counter_{pid}.db").touch()
        (tmp_path / f"histogram_{pid}.db").touch()
    yield child.pid
    child.communicate()


def test_process_facts_are_those_of_living_processes_once_each(worker: int) -> None:
    found = process_facts()
    assert sorted(facts.role for facts in found) == sorted(["worker", processes._role(_own_words())])
    ours = next(facts for facts in found if facts.role == "worker")
    assert 1_000_000 < ours.memory_bytes < 500_000_000
    assert 3 <= ours.open_files < 100
    assert 0 <= ours.cpu_seconds < 60


def test_summed_has_every_role(worker: int) -> None:
    counted = summed(lambda _facts: 1.0)
    assert set(counted) == {("web",), ("worker",), ("other",)}
    assert counted[("worker",)] == 1


def test_the_limit_of_memory_is_the_containers_where_it_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = processes.memory_limit_bytes()
    assert machine > 256 * 1024 * 1024
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(processes, "_CGROUP_LIMIT", limit)
    for text, expected in (("max\n", None), ("104857600\n", 104_857_600)):
        limit.write_text(text)
        found = processes.memory_limit_bytes()
        assert found == expected if expected else found > 256 * 1024 * 1024


def _own_words() -> list[bytes]:
    return Path(f"/proc/{os.getpid()}/cmdline").read_bytes().split(b"\0")


@pytest.mark.parametrize(
    ("line", "role"),
    [
        (b"python -m gunicorn config.wsgi", "web"),
        (b"gunicorn: worker [config.wsgi]", "web"),
        (b"python manage.py worker --concurrency 2", "worker"),
        (b"[celeryd: celery@host:ForkPoolWorker-1]", "worker"),
        (b"python manage.py shell", "other"),
    ],
)
def test_the_role_stands_in_the_command_line(line: bytes, role: str) -> None:
    assert processes._role(line.split(b" ")) == role
