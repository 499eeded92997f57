"""Multinomial logistic regression with NumPy: fit by Newton's method, strength and temperature by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

MAX_STEPS = 100
ENOUGH = 1e-7  # a step that moves no weight by more than this ends the fit
SMALLEST_SHARE = 1e-6
FAIR_PART = 1e-4
FOLDS = 5


@dataclass(frozen=True)
class Fitted:
    """Weights (classes x features) and bias (classes)."""

    weights: Floats
    bias: Floats

    def logits(self, rows: Floats) -> Floats:
        """Return the scores of each class for standardised rows."""
        return np.asarray(rows @ self.weights.T + self.bias)


def softmax(logits: Floats) -> Floats:
    """Return probabilities row by row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit(rows: Floats, labels: Labels, *, classes: int, strength: float, case_weights: Floats) -> Fitted:
    """Minimise the weighted log loss plus `strength`/2 times the squared weights (the bias is free)."""
    design = np.hstack([rows, np.ones((rows.shape[0], 1))])
    width = design.shape[1]
    penalty = np.full(width, strength)
    penalty[-1] = 1e-6  # only keeps the bias from drifting along the direction that softmax does not see
    wanted = np.eye(classes)[labels]
    beta = np.zeros((classes, width))
    for _ in range(MAX_STEPS):
        shares = softmax(design @ beta.T)
        gradient = ((shares - wanted) * case_weights[:, None]).T @ design + beta * penalty
        step = np.linalg.solve(_hessian(design, shares, case_weights, penalty), gradient.ravel()).reshape(beta.shape)
        if float(np.abs(step).max()) < ENOUGH:
            break
        beta = beta - step * _safe_share(design, labels, beta, step, gradient, case_weights, penalty)
    return Fitted(weights=beta[:, :-1], bias=beta[:, -1])


def _safe_share(
    design: Floats,
    labels: Labels,
    beta: Floats,
    step: Floats,
    gradient: Floats,
    case_weights: Floats,
    penalty: Floats,
) -> float:
    """Halve a Newton step until the loss falls by a fair part of what its slope promises: full steps may overshoot."""
    promised = float((step * gradient).sum())
    before = _loss(design, labels, beta, case_weights, penalty)
    share = 1.0
    while share > SMALLEST_SHARE:
        if _loss(design, labels, beta - share * step, case_weights, penalty) <= before - FAIR_PART * share * promised:
            break
        share /= 2
    return share


def _loss(design: Floats, labels: Labels, beta: Floats, case_weights: Floats, penalty: Floats) -> float:
    """Return the penalised weighted log loss."""
    logits = design @ beta.T
    logits = logits - logits.max(axis=1, keepdims=True)
    own = logits[np.arange(labels.size), labels] - np.log(np.exp(logits).sum(axis=1))
    return float(0.5 * (beta * beta * penalty).sum() - (own * case_weights).sum())


def _hessian(design: Floats, shares: Floats, case_weights: Floats, penalty: Floats) -> Floats:
    classes, width = shares.shape[1], design.shape[1]
    hessian = np.zeros((classes * width, classes * width))
    for one in range(classes):
        for other in range(classes):
            curve = shares[:, one] * ((one == other) - shares[:, other]) * case_weights
            block = (design * curve[:, None]).T @ design
            hessian[one * width : (one + 1) * width, other * width : (other + 1) * width] = block
    return hessian + np.diag(np.tile(penalty, classes))


def balanced_weights(labels: Labels, *, classes: int) -> Floats:
    """Return case weights under which every class counts the same; they add up to the number of cases."""
    counts = np.maximum(np.bincount(labels, minlength=classes), 1)
    weights = 1.0 / counts[labels]
    return np.asarray(weights * labels.size / weights.sum())


def out_of_fold_logits(rows: Floats, labels: Labels, *, classes: int, strength: float, balanced: bool = True) -> Floats:
    """Return for each case the scores of a model that has not seen it (folds by position: case i in fold i mod 5).

    `balanced` lets every class count the same, however many cases it has.
    """
    folds = np.arange(labels.size) % FOLDS
    logits = np.zeros((labels.size, classes))
    for fold in range(FOLDS):
        seen = folds != fold
        weights = balanced_weights(labels[seen], classes=classes) if balanced else np.ones(int(seen.sum()))
        fitted = fit(rows[seen], labels[seen], classes=classes, strength=strength, case_weights=weights)
        logits[~seen] = fitted.logits(rows[~seen])
    return logits


def log_loss(logits: Floats, labels: Labels) -> float:
    """Return the mean negative log probability of the true class."""
    shares = softmax(logits)[np.arange(labels.size), labels]
    return float(-np.log(np.maximum(shares, 1e-12)).mean())


def best_strength(
    rows: Floats, labels: Labels, *, classes: int, candidates: Sequence[float], balanced: bool = True
) -> float:
    """Return the penalty with the smallest out-of-fold loss."""
    losses = {
        strength: log_loss(
            out_of_fold_logits(rows, labels, classes=classes, strength=strength, balanced=balanced), labels
        )
        for strength in candidates
    }
    return min(losses, key=lambda strength: losses[strength])


def best_temperature(logits: Floats, labels: Labels) -> float:
    """Return the divisor of the scores that makes out-of-fold probabilities honest (temperature scaling)."""
    grid = np.exp(np.linspace(np.log(0.25), np.log(8.0), 141))
    losses = [log_loss(logits / temperature, labels) for temperature in grid]
    return float(grid[int(np.argmin(losses))])
