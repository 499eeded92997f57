"""Trains a fraud model in time: chosen and fitted on the earlier cases, tested once on the later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from aiassist.fraud.encoding import Encoder, fitted_encoder
from aiassist.fraud.forms import Form
from aiassist.fraud.groups import GroupShare, group_shares
from aiassist.fraud.learning import CANDIDATES, Candidate
from aiassist.fraud.measures import Estimate, Ranking, area_under_curve, auc_difference, ranking_of
from aiassist.fraud.scoring import FraudModel, joined
from aiassist.fraud.table import CaseTable, Floats
from observability.errors import PlatformError

# Where the earlier part is cut to choose: always learning from the past, always judging by what came next.
_FOLD_EDGES = (0.5, 2 / 3, 5 / 6, 1.0)
# A fold that holds fewer flagged cases ranks by luck.
_FEWEST_FLAGGED_IN_FOLD = 5


class TooLittleHistory(PlatformError):
    """There are not enough decided cases of both kinds to choose and fit a model at all."""

    code = "too_little_history"
    message = "There is too little decided history to learn from."


@dataclass(frozen=True)
class Trial:
    """How one candidate did inside the earlier part: AUC per fold."""

    name: str
    fold_aucs: tuple[float, ...]

    @property
    def mean_auc(self) -> float:
        return round(sum(self.fold_aucs) / len(self.fold_aucs), 4)


@dataclass(frozen=True)
class Trained:
    """A model with all that its card tells. `test` is of the score in use: scorecard and model together."""

    model: FraudModel
    chosen: str
    trials: tuple[Trial, ...]
    earlier: CaseTable
    later: CaseTable
    test: Ranking
    model_alone: Ranking
    baseline: Ranking | None
    gain: Estimate | None
    cost_of_leaving_out: Estimate | None
    groups: tuple[GroupShare, ...]


def train_fraud_model(
    earlier: CaseTable, later: CaseTable, *, version: str, candidates: Sequence[Candidate] = CANDIDATES
) -> Trained:
    """Return the model of the earlier cases and its one test on the later ones.

    Nothing of the later part takes part in choosing, fitting or placing the cut. The same tables give the same bytes.
    Raises TooLittleHistory.
    """
    trials, best, held_out = _chosen(earlier, candidates)
    encoder, form = _fitted(best, earlier)
    model = _placed(version, encoder, form, held_out, earlier.base_rate)
    log_odds = form.log_odds(encoder.matrix(later.rows))
    in_use = joined(later.baseline, model.weights(log_odds))
    had_baseline = bool(later.baseline.any())
    alone = ranking_of(later.labels, log_odds)
    return Trained(
        model=model,
        chosen=str(best),
        trials=trials,
        earlier=earlier,
        later=later,
        # Without a scorecard the model is all there is, and ties at weight 0 would hide its order of the usual ones.
        test=ranking_of(later.labels, in_use) if had_baseline else alone,
        model_alone=alone,
        baseline=ranking_of(later.labels, later.baseline) if had_baseline else None,
        gain=auc_difference(later.labels, in_use, later.baseline) if had_baseline else None,
        cost_of_leaving_out=_cost(best, earlier, later, log_odds) if later.groups else None,
        groups=tuple(group_shares(log_odds >= model.cut_log_odds, later.groups)),
    )


def _chosen(table: CaseTable, candidates: Sequence[Candidate]) -> tuple[tuple[Trial, ...], Candidate, Floats]:
    """Return every candidate's trial, the best one, and its scores of the held-out cases."""
    folds = _folds(table)
    tried = [
        (candidate, [_judged(candidate, past, following) for past, following in folds]) for candidate in candidates
    ]
    trials = tuple(Trial(str(candidate), tuple(auc for auc, _ in judged)) for candidate, judged in tried)
    best = max(range(len(trials)), key=lambda index: trials[index].mean_auc)  # the first of equals
    held_out = np.concatenate([log_odds for _, log_odds in tried[best][1]])
    return trials, tried[best][0], held_out


def _folds(table: CaseTable) -> list[tuple[CaseTable, CaseTable]]:
    edges = [*(table.position_after(share) for share in _FOLD_EDGES[:-1]), len(table)]
    folds = [(table.part(0, start), table.part(start, end)) for start, end in pairwise(edges)]
    usable = [
        fold
        for fold in folds
        if all(_FEWEST_FLAGGED_IN_FOLD <= part.flagged <= len(part) - _FEWEST_FLAGGED_IN_FOLD for part in fold)
    ]
    if not usable:
        raise TooLittleHistory
    return usable


def _judged(candidate: Candidate, past: CaseTable, following: CaseTable) -> tuple[float, Floats]:
    encoder, form = _fitted(candidate, past)
    log_odds = form.log_odds(encoder.matrix(following.rows))
    return round(area_under_curve(following.labels, log_odds), 4), log_odds


def _fitted(candidate: Candidate, table: CaseTable) -> tuple[Encoder, Form]:
    encoder = fitted_encoder(table.rows)
    if not encoder.columns:
        raise TooLittleHistory("The decided cases do not differ in anything that could be learned from.")
    return encoder, candidate.fitted(encoder.matrix(table.rows), table.labels)


def _placed(version: str, encoder: Encoder, form: Form, held_out: Floats, base_rate: float) -> FraudModel:
    """Return the model with its cut: as many held-out cases lie above it as people flag."""
    usual = float(np.log(base_rate / (1.0 - base_rate)))
    cut = max(float(np.quantile(held_out, 1.0 - base_rate)), usual + 1e-6)
    return FraudModel(version, encoder, form, round(usual, 12), round(cut, 12))


def _cost(candidate: Candidate, earlier: CaseTable, later: CaseTable, log_odds: Floats) -> Estimate:
    """Return how much AUC the same learner would gain from the protected attributes."""
    encoder, form = _fitted(candidate, earlier.with_groups_as_features())
    with_them = form.log_odds(encoder.matrix(later.with_groups_as_features().rows))
    return auc_difference(later.labels, with_them, log_odds)
