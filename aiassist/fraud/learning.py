"""The one place that knows scikit-learn: fits a candidate and hands it over in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from aiassist.fraud.forms import Form, LinearForm, Tree, TreesForm
from aiassist.fraud.measures import SEED
from aiassist.fraud.table import Flags, Floats

_MOST_STEPS = 2_000
# Twelve digits: far beyond what a few thousand cases can tell, and the same text on every run.
_DIGITS = 12


@dataclass(frozen=True)
class Logistic:
    """Logistic regression; `strength` is the inverse penalty."""

    strength: float

    def __str__(self) -> str:
        return f"logistic regression, inverse penalty {self.strength:g}"

    def fitted(self, matrix: Floats, labels: Flags) -> Form:
        model = LogisticRegression(C=self.strength, max_iter=_MOST_STEPS).fit(matrix, labels)
        return LinearForm(_rounded(model.intercept_[0]), np.round(model.coef_[0], _DIGITS))


@dataclass(frozen=True)
class Boosting:
    """Gradient boosting over small trees."""

    depth: int
    rate: float
    trees: int

    def __str__(self) -> str:
        return f"gradient boosting, {self.trees} trees of depth {self.depth}, learning rate {self.rate:g}"

    def fitted(self, matrix: Floats, labels: Flags) -> Form:
        model = GradientBoostingClassifier(
            max_depth=self.depth,
            learning_rate=self.rate,
            n_estimators=self.trees,
            subsample=0.7,
            max_features=0.5,
            min_samples_leaf=20,
            random_state=SEED,
        ).fit(matrix, labels)
        share = float(labels.mean())
        trees = tuple(_plain_tree(stage[0].tree_) for stage in model.estimators_)
        return TreesForm(_rounded(np.log(share / (1.0 - share))), self.rate, trees)


Candidate = Logistic | Boosting
# Simple ones first: of two that do equally well the first is taken.
CANDIDATES: tuple[Candidate, ...] = (
    Logistic(0.01),
    Logistic(0.03),
    Logistic(0.1),
    Logistic(0.3),
    Boosting(depth=2, rate=0.05, trees=100),
    Boosting(depth=2, rate=0.05, trees=200),
    Boosting(depth=3, rate=0.03, trees=150),
    Boosting(depth=3, rate=0.05, trees=100),
)


def _plain_tree(tree: Any) -> Tree:
    """Return a fitted tree as plain arrays (`tree` is scikit-learn's `Tree`; its arrays are its public face)."""
    inside = tree.children_left >= 0
    return Tree(
        columns=tuple(int(column) for column in np.where(inside, tree.feature, -1)),
        # To the last bit: cases of the training set lie exactly on these.
        thresholds=tuple(float(threshold) for threshold in np.where(inside, tree.threshold, 0.0)),
        left=tuple(int(node) for node in tree.children_left),
        right=tuple(int(node) for node in tree.children_right),
        values=tuple(_rounded(value) for value in _node_values(tree)),
    )


def _node_values(tree: Any) -> list[float]:
    """Return each node's value; boosting corrects the leaves alone, so the others become the mean of theirs."""
    values = [float(value) for value in tree.value[:, 0, 0]]
    cases = tree.n_node_samples
    for node in reversed(range(tree.node_count)):  # children stand behind their parent
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left >= 0:
            below = float(cases[left] + cases[right])
            values[node] = (values[left] * cases[left] + values[right] * cases[right]) / below
    return values


def _rounded(number: float) -> float:
    return round(float(number), _DIGITS)
