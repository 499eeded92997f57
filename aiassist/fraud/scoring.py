"""A trained fraud model as the pipeline uses it: a row of circumstances gives one coded indicator with its reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from aiassist.fraud.encoding import Encoder, encoder_from
from aiassist.fraud.forms import Form, form_from
from aiassist.fraud.table import Floats, Row
from aiassist.types import FraudIndicator

LEARNED_CODE: Final = "learned_pattern"
# At the cut, where as many cases are picked as people flagged, the model weighs as much as the strongest single sign;
# what lies further out weighs more, up to a bound that leaves doubt.
WEIGHT_AT_CUT = 0.6
MOST_WEIGHT = 0.8
_MOST_REASONS = 3
# A value that moves the odds by less than a twentieth is no reason.
_LEAST_CONTRIBUTION = 0.05


@dataclass(frozen=True)
class FraudModel:
    """A model with the two points of its own history that turn its odds into a weight of the scorecard's scale.

    `usual_log_odds` is the log-odds of the base rate (weight 0), `cut_log_odds` those of the cut.
    """

    version: str
    encoder: Encoder
    form: Form
    usual_log_odds: float
    cut_log_odds: float

    def weights(self, log_odds: Floats) -> Floats:
        """Return the indicator weight (0 to `MOST_WEIGHT`) of each log-odds."""
        steps = (log_odds - self.usual_log_odds) / (self.cut_log_odds - self.usual_log_odds)
        return np.clip(WEIGHT_AT_CUT * steps, 0.0, MOST_WEIGHT)

    def indicator(self, row: Row) -> FraudIndicator | None:
        """Return the indicator of one case, None where it looks no more suspicious than usual."""
        line = self.encoder.matrix([row])
        weight = round(float(self.weights(self.form.log_odds(line))[0]), 4)
        if weight == 0.0:
            return None
        reasons = self._reasons(row, line[0])
        detail = "like decided claims that people suspected" + (f": {reasons}" if reasons else "")
        return FraudIndicator(LEARNED_CODE, weight, f"{detail} ({self.version})")

    def _reasons(self, row: Row, line: Floats) -> str:
        """Return the values that raised the odds most, each with what it added to the log-odds."""
        added: dict[str, float] = defaultdict(float)
        for name, contribution in zip(self.encoder.sources, self.form.contributions(line), strict=True):
            added[name] += float(contribution)
        strongest = sorted(added, key=lambda name: (-added[name], name))[:_MOST_REASONS]
        return "; ".join(
            f"{name.replace('_', ' ')} {_value_words(row.get(name))} ({added[name]:+.2f})"
            for name in strongest
            if added[name] >= _LEAST_CONTRIBUTION
        )

    def document(self) -> dict[str, Any]:
        """Return the model as JSON holds it; its version stands beside it."""
        return {
            "encoder": self.encoder.document(),
            "form": self.form.document(),
            "usual_log_odds": self.usual_log_odds,
            "cut_log_odds": self.cut_log_odds,
        }


def fraud_model_from(document: Mapping[str, Any], *, version: str) -> FraudModel:
    """Return the model that a stored document describes."""
    return FraudModel(
        version=version,
        encoder=encoder_from(document["encoder"]),
        form=form_from(document["form"]),
        usual_log_odds=document["usual_log_odds"],
        cut_log_odds=document["cut_log_odds"],
    )


def joined(scorecard: Floats, weights: Floats) -> Floats:
    """Return the scores with the model's weight beside the scorecard's: each leaves the doubt that it does not take."""
    return np.asarray(1.0 - (1.0 - scorecard) * (1.0 - weights), dtype=np.float64)


def _value_words(value: float | str | None) -> str:
    if value is None:
        return "not known"
    return value if isinstance(value, str) else f"{value:.4g}"
