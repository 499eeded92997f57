"""Runs the decoding of an untrusted file in a child process that cannot hang, eat the machine or write elsewhere.

A plain `subprocess` on purpose: a Celery prefork worker is daemonic, so `multiprocessing` could not start a child
there.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from aiassist.video.errors import DecodeFailed, DecodeOutOfMemory, DecodeTimeout, MachineBusy
from aiassist.video.limits import DecodeLimits
from observability.errors import PlatformError

ChildProgress = Callable[[float], None]

CHILD_MODULE = "aiassist.video.child"
# How often the parent looks at the clock and at the child's memory: a decoder fills at most ~100 MB in that time.
WATCH_SECONDS = 0.05
MAX_LINE_BYTES = 4096
# So many processes that want to run for each core, and so little of one core for the child, is no fault of its file.
BUSY_LOAD_PER_CORE, STARVED_SHARE, BUSY_RETRY_SECONDS = 3.0, 0.5, 60
EXIT_REFUSED = 3
EXIT_MEMORY = 4
ERROR_CLASSES: dict[str, type[DecodeFailed]] = {
    known.code: known for known in (DecodeFailed, DecodeTimeout, DecodeOutOfMemory)
}


def run_child(
    *,
    task: str,
    path: Path,
    demuxer: str,
    folder: Path,
    limits: DecodeLimits,
    on_progress: ChildProgress | None = None,
    detector: Path | None = None,
) -> None:
    """Runs one task ("probe" or "measure") on a file; the child leaves its result in `folder`.

    Raises DecodeTimeout, DecodeOutOfMemory or DecodeFailed, and MachineBusy where the time ran out on an overloaded
    machine; the child and its threads are gone when this returns.
    """
    request = {
        "task": task,
        "path": str(path.resolve()),
        "demuxer": demuxer,
        "folder": str(folder),
        "limits": asdict(limits),
        "detector": str(detector.resolve()) if detector else None,
    }
    with (folder / "stderr").open("wb") as noise:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, fixed module, one JSON argument, no shell
            [sys.executable, "-P", "-m", CHILD_MODULE, json.dumps(request)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=noise,
            cwd=folder,
            env=_child_environment(folder),
            start_new_session=True,
        )
        try:
            _watch(process, limits, on_progress)
        finally:
            _end(process)
    _raise_for(process.returncode, folder)


def _child_environment(folder: Path) -> Mapping[str, str]:
    """The smallest environment that starts: where our code lies, one BLAS thread, a private temporary folder."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(folder),
        "HOME": str(folder),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _watch(process: subprocess.Popen[bytes], limits: DecodeLimits, on_progress: ChildProgress | None) -> None:
    """Reads progress lines until the child closes its output; raises when it passes the clock or the memory limit."""
    assert process.stdout is not None
    deadline = time.monotonic() + limits.wall_seconds
    pending = b""
    os.set_blocking(process.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if time.monotonic() > deadline:
                raise _out_of_time(process.pid, limits)
            if _resident_bytes(process.pid) > limits.resident_bytes:
                raise DecodeOutOfMemory(extra={"resident_bytes": limits.resident_bytes})
            if not selector.select(timeout=WATCH_SECONDS):
                continue
            chunk = os.read(process.stdout.fileno(), MAX_LINE_BYTES)
            if not chunk:
                break
            pending = _report_lines(pending + chunk, on_progress)
    try:
        process.wait(timeout=max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _out_of_time(process.pid, limits) from None


def _out_of_time(pid: int, limits: DecodeLimits) -> PlatformError:
    """Blame the file, unless the machine was overloaded and gave the child little of its time."""
    overloaded = os.getloadavg()[0] > BUSY_LOAD_PER_CORE * (os.cpu_count() or 1)
    if overloaded and _processor_seconds(pid) < STARVED_SHARE * limits.wall_seconds:
        return MachineBusy(retry_after_seconds=BUSY_RETRY_SECONDS)
    return DecodeTimeout(extra={"wall_seconds": limits.wall_seconds})


def _processor_seconds(pid: int) -> float:
    """Processor time of the child's threads so far; without /proc as much as there is, so that the file is blamed."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return math.inf
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _report_lines(received: bytes, on_progress: ChildProgress | None) -> bytes:
    """Hands every whole progress line on as a share 0–1 and returns the unfinished rest."""
    *lines, rest = received.split(b"\n")
    for line in lines:
        try:
            share = float(line)
        except ValueError:
            continue  # not a number: a library wrote to stdout, which is no progress
        if on_progress is not None and 0.0 <= share <= 1.0:
            on_progress(share)
    return rest[-MAX_LINE_BYTES:]


def _resident_bytes(pid: int) -> int:
    """Resident memory of the child; 0 where the system has no /proc (there the child's own check and rlimits hold)."""
    try:
        resident_pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(resident_pages) * os.sysconf("SC_PAGE_SIZE")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills the child's whole session if it still runs, and reaps it."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _raise_for(returncode: int, folder: Path) -> None:
    """Turns the way a child ended into a named error."""
    if returncode == 0:
        return
    if returncode == EXIT_REFUSED:
        raise _refusal(folder)
    if returncode == EXIT_MEMORY:
        raise DecodeOutOfMemory
    if returncode in (-signal.SIGXCPU, -signal.SIGALRM):
        raise DecodeTimeout
    raise DecodeFailed("Reading the video ended unexpectedly.", extra={"exit_status": returncode})


def _refusal(folder: Path) -> DecodeFailed:
    """The error that the child wrote down before it left."""
    try:
        told = json.loads((folder / "refusal.json").read_text(encoding="utf-8"))
        return ERROR_CLASSES.get(str(told["code"]), DecodeFailed)(str(told["message"])[:200])
    except (OSError, ValueError, KeyError, TypeError):
        return DecodeFailed()


def private_folder() -> tempfile.TemporaryDirectory[str]:
    """A temporary folder that only this user may enter and that is deleted with its content."""
    return tempfile.TemporaryDirectory(prefix="claimwright-video-", ignore_cleanup_errors=True)
