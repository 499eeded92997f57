"""The folder through which the processes of one machine add up their metrics.

Each process writes files of its own, named by its id, and they outlive it: its counts must. Every recycled child would
make the scrape slower for good, so those of ended processes are added up into one file of each kind (`fold_ended`).
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # fixed by the client library
_ADDING = re.compile(r"(counter|histogram)_(\d+)\.db")
_FOLDED_ID = 0  # no process has it
_MOST_ENDED = 16
# A process of another container, whose id means nothing here, writes more often than this.
_UNTOUCHED_SECONDS = 3600.0


def metrics_folder() -> Path | None:
    """Return the folder that the processes share, None in a process that keeps its metrics to itself."""
    folder = Path(os.environ.get(_FOLDER_VARIABLE, ""))
    return folder if _FOLDER_VARIABLE in os.environ and folder.is_dir() else None


def prepare_metrics_folder(folder: Path, *, wipe: bool) -> dict[str, str]:
    """Create the folder and return the environment for processes that shall share it.

    `wipe` is for whoever starts the whole system: figures of its last run must not be added to this one's. A part that
    starts while others run must not wipe: a sum that falls looks like a restart to Prometheus.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if wipe:
        for file in folder.glob("*.db"):
            file.unlink(missing_ok=True)
    return {_FOLDER_VARIABLE: str(folder)}


@contextmanager
def steady(folder: Path) -> Iterator[None]:
    """Read the folder's files in the block: none disappears meanwhile. Folds first when many processes have ended."""
    with (folder / "lock").open("w") as lock:
        if len(ended_files(folder)) > _MOST_ENDED:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fold_ended(folder)
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def ended_files(folder: Path) -> list[Path]:
    """Return the files of counters and histograms whose process has ended."""
    before = time.time() - _UNTOUCHED_SECONDS
    return [
        file
        for file in sorted(folder.glob("*.db"))
        if (match := _ADDING.fullmatch(file.name))
        and int(match[2]) != _FOLDED_ID
        and not _is_alive(int(match[2]))
        and file.stat().st_mtime < before
    ]


def fold_ended(folder: Path) -> None:
    """Add up what ended processes have counted; the caller holds the folder alone.

    A power cut between the last two steps would count those processes twice: a jump, and never a figure that falls.
    """
    ended = ended_files(folder)
    for kind in ("counter", "histogram"):
        files = [file for file in ended if file.name.startswith(f"{kind}_")]
        if not files:
            continue
        folded = folder / f"{kind}_{_FOLDED_ID}.db"
        sums: dict[str, float] = {}
        for file in [*files, *([folded] if folded.exists() else [])]:
            for key, value in _read(file):
                sums[key] = sums.get(key, 0.0) + value
        _write(folder / f"{kind}.folding", sums).replace(folded)
        for file in files:
            file.unlink()


def _read(path: Path) -> Iterator[tuple[str, float]]:
    stored = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]  # the library's, untyped
    for key, value, _stamp, _place in stored:
        yield key, value


def _write(path: Path, sums: dict[str, float]) -> Path:
    path.unlink(missing_ok=True)
    made: Any = MmapedDict(str(path))  # type: ignore[no-untyped-call]  # as above
    for key, value in sums.items():
        made.write_value(key, value, 0.0)
    made.close()
    return path


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True
