"""Made-up decided cases with a pattern that can be learned, for the tests of the fraud models."""

from __future__ import annotations

import numpy as np

from aiassist.fraud.table import CaseTable, Row


def pattern_rows(count: int, *, seed: int = 7, skill: float = 2.0, base: float = -2.6) -> tuple[list[Row], list[bool]]:
    """Return circumstances and labels: late reports on young policies are suspected more often."""
    source = np.random.default_rng(seed)
    rows: list[Row] = []
    labels = []
    for _ in range(count):
        late, young, words = float(source.exponential(48)), bool(source.random() < 0.3), float(source.integers(5, 90))
        odds = base + skill * (late > 96) + skill * young
        rows.append(
            {
                "report_delay_hours": round(late, 3) if source.random() > 0.1 else None,
                "policy_age_days": 20.0 if young else 900.0,
                "description_words": words,
                "channel": "broker" if source.random() < 0.5 else "portal",
            }
        )
        labels.append(bool(source.random() < 1 / (1 + np.exp(-odds))))
    return rows, labels


def pattern_table(count: int = 600, *, seed: int = 7, skill: float = 2.0, baseline: float = 0.0) -> CaseTable:
    """Return the cases in time; the scorecard knew next to nothing (`baseline` on one case in ten)."""
    rows, labels = pattern_rows(count, seed=seed, skill=skill)
    return CaseTable(
        rows=rows,
        labels=np.array(labels, dtype=np.bool_),
        moments=np.arange(count, dtype=np.float64),
        baseline=np.where(np.arange(count) % 10 == 0, baseline, 0.0),
        groups={
            "region": ["north" if i % 3 else "south" for i in range(count)],
            "rare": ["x"] * 5 + ["y"] * (count - 5),
        },
    )
