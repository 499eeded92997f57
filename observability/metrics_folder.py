"""The folder through which the processes of one machine add up their metrics."""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # fixed by the client library


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
