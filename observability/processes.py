"""What the product's processes on this machine use, read from /proc when Prometheus asks.

The metrics folder tells which processes they are: each that counts has a file there, named by its id. Linux only;
elsewhere there is nothing to read. The folder belongs to one machine or container: ids of two would be mixed up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from observability.metrics import Readings, SourceUnreadable
from observability.metrics_folder import metrics_folder

_PROC = Path("/proc")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_FILE = re.compile(r"_(\d+)\.db$")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ROLES = ("web", "worker", "other")


@dataclass(frozen=True)
class ProcessFacts:
    """One living process; `cpu_seconds` holds its own time and that of its children that have ended."""

    role: str
    memory_bytes: float
    cpu_seconds: float
    open_files: float


def process_facts() -> list[ProcessFacts]:
    """Return what is known of the living processes that share the metrics folder; without one, of this one alone."""
    return [facts for pid in sorted(_ids()) if (facts := _facts(pid)) is not None]


def summed(figure: Callable[[ProcessFacts], float]) -> Readings:
    """Return the figure added up for each role."""
    found = process_facts()
    return {(role,): sum((figure(facts) for facts in found if facts.role == role), 0.0) for role in ROLES}


def memory_limit_bytes() -> int:
    """Return what this machine has, or its container may use; raises SourceUnreadable where neither can be told."""
    try:
        allowed = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.is_file() else "max"
        machine = re.search(r"^MemTotal:\s+(\d+) kB", (_PROC / "meminfo").read_text(), re.MULTILINE)
    except OSError as error:
        raise SourceUnreadable from error
    if machine is None:
        raise SourceUnreadable
    total = int(machine[1]) * 1024
    return min(total, int(allowed)) if allowed.isdigit() else total


def _ids() -> Iterator[int]:
    folder = metrics_folder()
    files = folder.glob("*.db") if folder is not None else ()
    yield from {os.getpid(), *(int(match[1]) for file in files if (match := _FILE.search(file.name)))}


def _facts(pid: int) -> ProcessFacts | None:
    folder = _PROC / str(pid)
    try:
        # After the name in brackets, from field 3 on (proc(5)); 14 to 17 are processor times, 24 is memory.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        words = (folder / "cmdline").read_bytes().split(b"\0")
        files = len(os.listdir(folder / "fd"))  # noqa: PTH208  # counted, not opened
    except (OSError, ValueError):
        return None  # it has ended meanwhile, or is another user's
    return ProcessFacts(
        role=_role(words),
        memory_bytes=float(int(fields[21]) * _PAGE_BYTES),
        cpu_seconds=sum(int(field) for field in fields[11:15]) / _TICKS,
        open_files=float(files),
    )


def _role(words: list[bytes]) -> str:
    """Tell the role by the command line, which gunicorn and Celery may have rewritten."""
    line = b" ".join(words)
    if b"gunicorn" in line or b"runserver" in words:
        return "web"
    return "worker" if b"celery" in line or b"worker" in words else "other"
