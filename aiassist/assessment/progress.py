"""Stage by stage progress: percent of the whole that never goes back, and how long each stage took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiassist.types import ProgressCallback, Stage
from observability import metrics

# Where each stage begins, in percent; measuring is by far the longest. STORE belongs to the caller, who reports 100.
STARTS: Final = {
    Stage.LOAD: 0,
    Stage.MINING: 5,
    Stage.VISION: 70,
    Stage.FAULT: 88,
    Stage.FRAUD: 91,
    Stage.CONFORMAL: 93,
    Stage.STORE: 95,
}
_ORDER: Final = tuple(STARTS)


class StageClock:
    """Reports progress and remembers the seconds of each stage."""

    def __init__(self, on_progress: ProgressCallback | None, monotonic: Callable[[], float]) -> None:
        self._on_progress = on_progress
        self._monotonic = monotonic
        self._began = monotonic()
        self._percent = 0
        self.seconds: dict[str, float] = {}

    @property
    def elapsed(self) -> float:
        """Return the seconds since the pipeline began."""
        return round(self._monotonic() - self._began, 3)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[Callable[[float], None]]:
        """Run one stage; what it yields takes the share (0-1) of the stage that is done."""
        began = self._monotonic()
        following = STARTS[_ORDER[_ORDER.index(stage) + 1]]

        def advance(share: float) -> None:
            width = following - STARTS[stage]
            self._report(stage, STARTS[stage] + int(width * min(1.0, max(0.0, share))))

        self._report(stage, STARTS[stage])
        try:
            yield advance
        finally:
            self.seconds[stage.value] = round(self._monotonic() - began, 3)
            metrics.STAGE_SECONDS.labels(stage=stage.value).observe(self.seconds[stage.value])
        self._report(stage, following)

    def _report(self, stage: Stage, percent: int) -> None:
        self._percent = max(self._percent, percent)
        if self._on_progress is not None:
            self._on_progress(stage, self._percent)
