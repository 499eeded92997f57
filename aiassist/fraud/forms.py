"""What a learner may hand over: a line of weights or a few small trees, evaluated with NumPy and kept as JSON.

Never a pickle: a stored model is data that cannot run code, and the worker needs no training library to read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from aiassist.fraud.table import Floats


class Form(Protocol):
    """A model over encoded columns."""

    def log_odds(self, matrix: Floats) -> Floats:
        """Return ln(p / (1 - p)) of each line."""

    def contributions(self, line: Floats) -> Floats:
        """Return what each encoded column adds to the log-odds of one line; with the base they sum up to it."""

    def document(self) -> dict[str, Any]:
        """Return the model as JSON holds it."""


@dataclass(frozen=True)
class LinearForm:
    """Logistic regression."""

    bias: float
    weights: Floats

    def log_odds(self, matrix: Floats) -> Floats:
        return np.asarray(matrix @ self.weights + self.bias, dtype=np.float64)

    def contributions(self, line: Floats) -> Floats:
        return np.asarray(line * self.weights, dtype=np.float64)

    def document(self) -> dict[str, Any]:
        return {"kind": "linear", "bias": self.bias, "weights": self.weights.tolist()}


@dataclass(frozen=True)
class Tree:
    """One regression tree as arrays over its nodes; a leaf has column -1. `values` is in log-odds; inside, the
    mean of the leaves below."""

    columns: tuple[int, ...]
    thresholds: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    values: tuple[float, ...]

    def reached(self, matrix: Floats) -> Floats:
        """Return the value of the leaf that each line falls into."""
        columns, left, right = np.array(self.columns), np.array(self.left), np.array(self.right)
        nodes = np.zeros(len(matrix), dtype=np.int64)
        lines = np.arange(len(matrix))
        while bool((columns[nodes] >= 0).any()):
            inside = columns[nodes] >= 0
            # The training library compares single-precision values with double-precision thresholds.
            seen = matrix[lines, np.maximum(columns[nodes], 0)].astype(np.float32)
            onward = np.where(seen <= np.array(self.thresholds)[nodes], left[nodes], right[nodes])
            nodes = np.where(inside, onward, nodes)
        return np.array(self.values)[nodes]

    def add_path(self, line: Floats, into: Floats) -> None:
        """Add to each column how far its questions moved the value on the way to the leaf."""
        node = 0
        while self.columns[node] >= 0:
            column = self.columns[node]
            goes_left = float(np.float32(line[column])) <= self.thresholds[node]
            child = self.left[node] if goes_left else self.right[node]
            into[column] += self.values[child] - self.values[node]
            node = child


@dataclass(frozen=True)
class TreesForm:
    """Gradient boosting: a base and many small trees, each counted with the learning rate."""

    base: float
    rate: float
    trees: tuple[Tree, ...]

    def log_odds(self, matrix: Floats) -> Floats:
        total = np.full(len(matrix), self.base, dtype=np.float64)
        for tree in self.trees:
            total += self.rate * tree.reached(matrix)
        return total

    def contributions(self, line: Floats) -> Floats:
        moved = np.zeros(len(line), dtype=np.float64)
        for tree in self.trees:
            tree.add_path(line, moved)
        return np.asarray(self.rate * moved, dtype=np.float64)

    def document(self) -> dict[str, Any]:
        trees = [
            {"columns": t.columns, "thresholds": t.thresholds, "left": t.left, "right": t.right, "values": t.values}
            for t in self.trees
        ]
        return {"kind": "trees", "base": self.base, "rate": self.rate, "trees": trees}


def form_from(document: Mapping[str, Any]) -> Form:
    """Return the model that a stored document describes."""
    if document["kind"] == "linear":
        return LinearForm(document["bias"], np.array(document["weights"], dtype=np.float64))
    trees = tuple(Tree(**{name: tuple(numbers) for name, numbers in tree.items()}) for tree in document["trees"])
    return TreesForm(document["base"], document["rate"], trees)
