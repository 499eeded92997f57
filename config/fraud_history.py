"""Joins what people decided (reviews) with the learner (aiassist): decisions become a table of cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiassist.fraud.scoring import LEARNED_CODE
from aiassist.fraud.table import CaseTable
from reviews.fraud_history import FraudVerdict


def history_table(verdicts: Sequence[FraudVerdict]) -> CaseTable:
    """Return the decided cases in time; the baseline is the scorecard's part of the score they had."""
    return CaseTable(
        rows=[verdict.circumstances for verdict in verdicts],
        labels=np.array([verdict.suspected for verdict in verdicts], dtype=np.bool_),
        moments=np.array([verdict.decided_at.timestamp() for verdict in verdicts], dtype=np.float64),
        baseline=np.array([_scorecard(verdict) for verdict in verdicts], dtype=np.float64),
    )


def history_notes(verdicts: Sequence[FraudVerdict]) -> list[str]:
    """Return what a reader of the card must know about the labels."""
    differed = sum(verdict.differed for verdict in verdicts)
    return [
        f"In {differed} of {len(verdicts)} decisions the person contradicted the AI's side of the question; the others "
        "agreed with a suggestion that they saw, so the labels are not blind."
    ]


def _scorecard(verdict: FraudVerdict) -> float:
    doubt = 1.0
    for indicator in verdict.indicators:
        if indicator["code"] != LEARNED_CODE:
            doubt *= 1.0 - float(indicator["weight"])
    return 1.0 - doubt
