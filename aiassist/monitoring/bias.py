"""Whether people's decisions and the AI's mistakes fall on groups alike: the 80 % rule with intervals. Pure.

Every pair of groups of an attribute is compared for each outcome, and the intervals are widened (Bonferroni) until all
of a run hold together with 95 %: with a handful of attributes some pair always looks bad by chance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiassist.monitoring.intervals import ALPHA, Interval, Share, difference, ratio

FOUR_FIFTHS = 0.8
# Fewer decided claims than this say nothing about a group.
FEWEST_DECIDED = 30
# A gap of accuracy below this is no disparity, however sure.
ACCURACY_GAP = 0.05
_SEVERE_RATIO, _MODERATE_RATIO = 0.5, 0.65
_SEVERE_GAP, _MODERATE_GAP = 0.2, 0.1
_MOST_GROUPS = 12
REST = "(others)"


class BiasState(StrEnum):
    """What a group's figures allow to say."""

    NOT_ENOUGH = "NOT_ENOUGH"
    FAIR = "FAIR"
    UNSURE = "UNSURE"  # below the rule, and it may be chance
    DISPARATE = "DISPARATE"  # and it is hardly chance: the alarm


class Outcome(StrEnum):
    """`APPROVED` is favourable; the others are not, so that the rule is asked of the best-treated group."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    FRAUD_FLAGGED = "FRAUD_FLAGGED"


class BiasLevel(StrEnum):
    """How large a disparity is; NONE where there is none beyond chance."""

    NONE = "NONE"
    LOW = "LOW"
    MODERATE = "MODERATE"
    SEVERE = "SEVERE"


@dataclass(frozen=True)
class DecidedClaim:
    """One decided claim; `agreed` is None where the AI had given no severity."""

    groups: Mapping[str, str]
    approved: bool
    flagged: bool
    agreed: bool | None


@dataclass(frozen=True)
class GroupFigure:
    """A group against the best-treated one of its attribute; below 0.8 the rule is broken.

    `impact` divides an approval rate by the highest, and for other outcomes the lowest rate by the group's.
    """

    attribute: str
    group: str
    outcome: Outcome
    decided: int
    rate: float | None
    against: str
    impact: Interval | None
    state: BiasState
    level: str


@dataclass(frozen=True)
class AccuracyFigure:
    """How often people agreed with the AI's severity in a group, against all claims outside it."""

    attribute: str
    group: str
    decided: int
    agreement: float | None
    gap: Interval | None
    state: BiasState
    level: str


@dataclass(frozen=True)
class BiasReport:
    decided: int
    impacts: tuple[GroupFigure, ...]
    accuracies: tuple[AccuracyFigure, ...]

    @property
    def disparate(self) -> list[GroupFigure | AccuracyFigure]:
        figures: list[GroupFigure | AccuracyFigure] = [*self.impacts, *self.accuracies]
        return [found for found in figures if found.state is BiasState.DISPARATE]


def bias_report(claims: Sequence[DecidedClaim]) -> BiasReport:
    """Return the figures of every group of every attribute that the claims tell."""
    members = _members(claims)
    large = {name: [g for g, of in groups.items() if len(of) >= FEWEST_DECIDED] for name, groups in members.items()}
    # Every ordered pair of groups for each outcome, and each group against the rest.
    pairs = sum(len(groups) * (len(groups) - 1) for groups in large.values())
    alpha = ALPHA / max(pairs * len(Outcome) + sum(map(len, large.values())), 1)
    impacts = [
        figure
        for attribute, groups in members.items()
        for outcome in Outcome
        for figure in _impacts(attribute, groups, outcome, alpha)
    ]
    accuracies = [_accuracy(attribute, name, groups, alpha) for attribute, groups in members.items() for name in groups]
    return BiasReport(len(claims), tuple(impacts), tuple(accuracies))


def _members(claims: Iterable[DecidedClaim]) -> dict[str, dict[str, list[DecidedClaim]]]:
    """Return the claims by attribute and group; only attributes with two groups can be compared.

    What lies beyond the largest groups is counted together: no one names a hundred groups and means them.
    """
    found: dict[str, dict[str, list[DecidedClaim]]] = defaultdict(lambda: defaultdict(list))
    for claim in claims:
        for attribute, group in claim.groups.items():
            found[attribute][group].append(claim)
    members: dict[str, dict[str, list[DecidedClaim]]] = {}
    for attribute, groups in sorted(found.items()):
        ordered = [name for _size, name in sorted((-len(of), name) for name, of in groups.items())]  # largest first
        kept = {name: groups[name] for name in sorted(ordered[:_MOST_GROUPS])}
        rest = [claim for name in ordered[_MOST_GROUPS:] for claim in groups[name]]
        if len(kept) > 1:
            members[attribute] = kept | ({REST: rest} if rest else {})
    return members


def _impacts(
    attribute: str, groups: Mapping[str, Sequence[DecidedClaim]], outcome: Outcome, alpha: float
) -> Iterable[GroupFigure]:
    shares = {name: Share(sum(_has(claim, outcome) for claim in of), len(of)) for name, of in groups.items()}
    large = {name: share for name, share in shares.items() if share.count >= FEWEST_DECIDED}
    best = _best(large, outcome)
    for name, share in shares.items():
        if best is None or name not in large or len(large) < 2:
            yield _figure(attribute, name, outcome, share, "", None, BiasState.NOT_ENOUGH)
            continue
        impact = Interval(1.0, 1.0, 1.0) if name == best else _impact(share, large[best], outcome, alpha)
        yield _figure(attribute, name, outcome, share, best, impact, _state(impact))


def _best(large: Mapping[str, Share], outcome: Outcome) -> str | None:
    if not large:
        return None
    sign = -1 if outcome is Outcome.APPROVED else 1
    return min(large, key=lambda name: (sign * large[name].value, name))


def _impact(share: Share, best: Share, outcome: Outcome, alpha: float) -> Interval | None:
    """Return the ratio; None where the outcome befell nobody, so that there is nothing to divide."""
    if outcome is Outcome.APPROVED:
        return ratio(share, best, alpha=alpha)
    return ratio(best, share, alpha=alpha)


def _state(impact: Interval | None) -> BiasState:
    if impact is None or impact.value >= FOUR_FIFTHS:
        return BiasState.FAIR
    return BiasState.DISPARATE if impact.high < FOUR_FIFTHS else BiasState.UNSURE


def _figure(
    attribute: str, name: str, outcome: Outcome, share: Share, best: str, impact: Interval | None, state: BiasState
) -> GroupFigure:
    rate = share.value if share.count >= FEWEST_DECIDED else None
    size = impact.value if impact else 1.0
    level = "NONE"
    if state is BiasState.DISPARATE:
        level = "SEVERE" if size < _SEVERE_RATIO else "MODERATE" if size < _MODERATE_RATIO else "LOW"
    return GroupFigure(attribute, name, outcome, share.count, rate, best, impact, state, level)


def _accuracy(attribute: str, name: str, groups: Mapping[str, Sequence[DecidedClaim]], alpha: float) -> AccuracyFigure:
    inside = [claim.agreed for claim in groups[name] if claim.agreed is not None]
    outside = [
        claim.agreed for other, of in groups.items() if other != name for claim in of if claim.agreed is not None
    ]
    if min(len(inside), len(outside)) < FEWEST_DECIDED:
        return AccuracyFigure(attribute, name, len(inside), None, None, BiasState.NOT_ENOUGH, "NONE")
    own, others = Share(sum(inside), len(inside)), Share(sum(outside), len(outside))
    gap = difference(own, others, alpha=alpha)
    state = BiasState.FAIR
    if gap.value <= -ACCURACY_GAP:
        state = BiasState.DISPARATE if gap.high < 0 else BiasState.UNSURE
    level = "NONE"
    if state is BiasState.DISPARATE:
        level = "SEVERE" if -gap.value >= _SEVERE_GAP else "MODERATE" if -gap.value >= _MODERATE_GAP else "LOW"
    return AccuracyFigure(attribute, name, len(inside), own.value, gap, state, level)


def _has(claim: DecidedClaim, outcome: Outcome) -> bool:
    if outcome is Outcome.FRAUD_FLAGGED:
        return claim.flagged
    return claim.approved if outcome is Outcome.APPROVED else not claim.approved


def figure_data(found: GroupFigure | AccuracyFigure) -> dict[str, Any]:
    """Return a figure as it is stored and shown."""
    interval = found.impact if isinstance(found, GroupFigure) else found.gap
    data = {
        "attribute": found.attribute,
        "group": found.group,
        "decided": found.decided,
        "value": round(interval.value, 4) if interval else None,
        "interval": [round(interval.low, 4), round(interval.high, 4)] if interval else None,
        "state": str(found.state),
        "level": found.level,
    }
    if isinstance(found, GroupFigure):
        rate = None if found.rate is None else round(found.rate, 4)
        return data | {"outcome": str(found.outcome), "rate": rate, "against": found.against}
    return data | {"agreement": None if found.agreement is None else round(found.agreement, 4)}
