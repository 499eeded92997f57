"""The card of a fraud model: what it learned from, how it fared on later cases, on whom its flags fall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiassist.fraud.gate import Refusal
from aiassist.fraud.groups import FEWEST_PEOPLE, GroupShare, verdict
from aiassist.fraud.measures import RESAMPLES, Ranking
from aiassist.fraud.table import CaseTable
from aiassist.fraud.training import Trained


def card_text(trained: Trained, *, source: str, split: str, notes: Sequence[str], refused: Sequence[Refusal]) -> str:
    """Return the card as Markdown; the same training gives the same text."""
    return "\n".join(
        (
            f"# Fraud model {trained.model.version}",
            "",
            "It orders claims for a second look beside the scorecard of signs and links. It accuses nobody and decides",
            "nothing; its weight is no probability of fraud.",
            "",
            f"- Data: {source}",
            f"- Split: {split} Nothing of the later part took part in choosing, fitting or placing the cut.",
            f"- Earlier part: {_counts(trained.earlier)}",
            f"- Later part: {_counts(trained.later)}",
            f"- Learner: {trained.chosen}, chosen by mean AUC of forward folds inside the earlier part.",
            f"- Read: {', '.join(dict.fromkeys(trained.model.encoder.sources))}.",
            *(f"- {note}" for note in notes),
            "",
            *_figures(trained),
            "",
            *_verdict(refused),
            "",
            *_trials(trained),
            "",
            *_groups(trained.groups),
            "",
        )
    )


def _counts(part: CaseTable) -> str:
    return f"{len(part)} cases, {part.flagged} flagged (base rate {part.base_rate:.4f})."


def _figures(trained: Trained) -> Iterator[str]:
    yield "## Once, on the later cases"
    yield ""
    yield f"95 % intervals from {RESAMPLES} bootstrap resamples. A score without skill has AUC 0.5 and the base rate as"
    yield "average precision."
    yield ""
    yield "| score | AUC | average precision |"
    yield "|---|---|---|"
    if trained.baseline is not None:
        yield _ranking("in use: scorecard and model", trained.test)
        yield _ranking("scorecard alone", trained.baseline)
    yield _ranking("model alone", trained.model_alone)
    yield ""
    if trained.gain is not None:
        yield f"Gain in AUC over the scorecard alone (paired): {trained.gain}."
    if trained.cost_of_leaving_out is not None:
        yield f"Leaving the protected attributes out costs {trained.cost_of_leaving_out} AUC (paired, same learner)."
    else:
        yield "Protected attributes: the claim file holds none, so none could be learned from and none be measured by."


def _ranking(name: str, ranking: Ranking) -> str:
    return f"| {name} | {ranking.auc} | {ranking.average_precision} |"


def _verdict(refused: Sequence[Refusal]) -> Iterator[str]:
    yield "## The gate before use"
    yield ""
    if not refused:
        yield "Passed: enough cases, and clearly better on later ones than what there was before."
    for refusal in refused:
        yield f"- Refused (`{refusal.code}`): {refusal.detail}"


def _trials(trained: Trained) -> Iterator[str]:
    yield "## What was tried inside the earlier part"
    yield ""
    yield "| learner | AUC per fold | mean |"
    yield "|---|---|---|"
    for trial in trained.trials:
        yield f"| {trial.name} | {', '.join(f'{auc:.3f}' for auc in trial.fold_aucs)} | {trial.mean_auc:.3f} |"


def _groups(shares: Sequence[GroupShare]) -> Iterator[str]:
    if not shares:
        return
    yield "## On whom the flags fall"
    yield ""
    yield "Four-fifths rule on the later cases at the model's cut: a group's rate over the highest rate of its"
    yield "attribute, for both outcomes (“not flagged” is the favourable one). Groups under"
    yield f"{FEWEST_PEOPLE} people are insufficient."
    yield ""
    yield "| attribute | group | people | flagged | flagged: ratio | not flagged: ratio |"
    yield "|---|---|---|---|---|---|"
    for share in shares:
        ratios = (share.flagged_ratio, share.cleared_ratio)
        cells = " | ".join(f"{ratio or '–'} {verdict(ratio, share.people)}" for ratio in ratios)
        yield f"| {share.attribute} | {share.group} | {share.people} | {share.flagged_share:.3f} | {cells} |"
