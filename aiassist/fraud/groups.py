"""Whether a flag falls on groups of people alike: the four-fifths rule for both outcomes, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aiassist.fraud.measures import RESAMPLES, SEED, Estimate
from aiassist.fraud.table import Flags

FOUR_FIFTHS = 0.8
# Fewer people than this say nothing about a group.
FEWEST_PEOPLE = 30


@dataclass(frozen=True)
class GroupShare:
    """One group. The ratios divide its rate of an outcome by the highest rate of its attribute; None: too few people
    in the group, or no group has the outcome."""

    attribute: str
    group: str
    people: int
    flagged_share: float
    flagged_ratio: Estimate | None
    cleared_ratio: Estimate | None


def group_shares(flags: Flags, groups: Mapping[str, Sequence[str]]) -> list[GroupShare]:
    """Return every group of every attribute, with both outcomes held against the four-fifths rule's reference."""
    found = []
    for attribute in sorted(groups):
        values = np.array(groups[attribute])
        members = {str(name): flags[values == name] for name in np.unique(values)}
        flagged, cleared = _ratios(members), _ratios({name: ~of for name, of in members.items()})
        found += [
            GroupShare(attribute, name, len(of), round(float(of.mean()), 4), flagged.get(name), cleared.get(name))
            for name, of in members.items()
        ]
    return found


def verdict(ratio: Estimate | None, people: int) -> str:
    """Return what the rule says of one outcome of a group."""
    if people < FEWEST_PEOPLE:
        return "insufficient"
    if ratio is None:
        return "no such outcome"
    if ratio.value >= FOUR_FIFTHS:
        return "passes"
    return "fails" if ratio.high < FOUR_FIFTHS else "fails, within chance"


def _ratios(members: Mapping[str, Flags]) -> dict[str, Estimate]:
    """Return each large enough group's rate over the highest one among them."""
    large = {name: outcome for name, outcome in members.items() if len(outcome) >= FEWEST_PEOPLE}
    rates = {name: float(outcome.mean()) for name, outcome in large.items()}
    if not rates or max(rates.values()) == 0.0:
        return {}
    reference = max(rates, key=lambda name: rates[name])
    return {
        name: Estimate(1.0, 1.0, 1.0) if name == reference else _ratio(outcome, large[reference])
        for name, outcome in large.items()
    }


def _ratio(outcome: Flags, reference: Flags) -> Estimate:
    """Return the ratio of two rates; the interval resamples both groups."""
    source = np.random.default_rng(SEED)
    drawn = source.binomial(len(outcome), outcome.mean(), RESAMPLES) / len(outcome)
    against = source.binomial(len(reference), reference.mean(), RESAMPLES) / len(reference)
    ratios = drawn[against > 0] / against[against > 0]
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Estimate(*(round(float(number), 4) for number in (outcome.mean() / reference.mean(), low, high)))
