"""What a tenant's model must show on later cases before it may score a claim. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aiassist.fraud.table import CaseTable
from aiassist.fraud.training import Trained

# Fewer cases than these give intervals too wide to beat anything, or beat it by luck.
FEWEST_EARLIER, FEWEST_EARLIER_FLAGGED = 300, 30
FEWEST_LATER, FEWEST_LATER_FLAGGED = 100, 20


@dataclass(frozen=True)
class Refusal:
    """Why a model may not be used."""

    code: str
    detail: str


def history_refusals(earlier: CaseTable, later: CaseTable) -> list[Refusal]:
    """Return what the history lacks; nothing is trained on less."""
    wanted = (
        ("earlier", earlier, FEWEST_EARLIER, FEWEST_EARLIER_FLAGGED),
        ("later", later, FEWEST_LATER, FEWEST_LATER_FLAGGED),
    )
    return [
        Refusal(
            "too_little_history",
            f"The {name} part holds {len(part)} decided cases, {part.flagged} of them suspected by a person; "
            f"at least {cases} and {flagged} are needed.",
        )
        for name, part, cases, flagged in wanted
        if len(part) < cases or part.flagged < flagged
    ]


def refusals(trained: Trained) -> list[Refusal]:
    """Return why the model may not be used; empty when it has passed."""
    return [*history_refusals(trained.earlier, trained.later), *_figures(trained)]


def _figures(trained: Trained) -> Iterator[Refusal]:
    precision, base = trained.test.average_precision, trained.later.base_rate
    if precision.low <= base:
        yield Refusal(
            "not_above_base_rate",
            f"Average precision {precision} does not clearly exceed the base rate {base:.3f} on later cases.",
        )
    if trained.gain is not None and trained.gain.low <= 0.0:
        yield Refusal(
            "not_above_scorecard", f"The gain in AUC over the scorecard alone, {trained.gain}, may be nothing."
        )
    if trained.gain is None and trained.test.auc.low <= 0.5:  # the order that a coin gives
        yield Refusal("not_above_chance", f"AUC {trained.test.auc} does not clearly exceed 0.5 on later cases.")
