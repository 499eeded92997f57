"""Decided cases as a learner reads them: named values known at the decision, a label, a place in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Value = float | str | None
Row = Mapping[str, Value]


@dataclass(frozen=True)
class CaseTable:
    """Cases in the order of time. `moments` never falls and may repeat (months, or seconds since an epoch).

    `baseline` is what the case scored before there was a model (0–1), all zero where nothing did. `groups` holds
    what fairness is measured by; protected attributes stand there and not among the values.
    """

    rows: Sequence[Row]
    labels: Flags
    moments: Floats
    baseline: Floats
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert bool(np.all(np.diff(self.moments) >= 0)), "cases stand in the order of time"

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def flagged(self) -> int:
        """How many cases a person flagged."""
        return int(self.labels.sum())

    @property
    def base_rate(self) -> float:
        return self.flagged / len(self) if len(self) else 0.0

    def part(self, start: int, end: int) -> CaseTable:
        """Return the cases from one position to another."""
        return CaseTable(
            rows=self.rows[start:end],
            labels=self.labels[start:end],
            moments=self.moments[start:end],
            baseline=self.baseline[start:end],
            groups={name: values[start:end] for name, values in self.groups.items()},
        )

    def position_after(self, share: float) -> int:
        """Return where the first `share` of the cases ends, moved so that no moment stands on both sides."""
        edge = min(int(len(self) * share), len(self) - 1)
        return int(np.searchsorted(self.moments, self.moments[edge], side="left"))

    def with_groups_as_features(self) -> CaseTable:
        """Return the same cases with the protected attributes among the values: only to measure what they cost."""
        rows = [
            {**row, **{name: values[index] for name, values in self.groups.items()}}
            for index, row in enumerate(self.rows)
        ]
        return CaseTable(rows, self.labels, self.moments, self.baseline, self.groups)
