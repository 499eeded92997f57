"""What links between claims weigh in the fraud scorecard, and how they are said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from aiassist.types import ClaimLink, FraudIndicator, LinkKind, LinkRelation

# Points of one link to another person's claim, set by hand. None reaches the default threshold for "urgent" alone.
LINK_WEIGHTS: Final[dict[LinkKind, float]] = {
    # Money of two people on one account; spouses and parents share accounts too.
    LinkKind.ACCOUNT: 0.40,
    # One phone behind two names is rarer than one account, and brokers hand in for many with theirs.
    LinkKind.PHONE: 0.30,
    # Cheap to make, so its owner hardly needs to share it; families do.
    LinkKind.EMAIL: 0.30,
    # Vehicles are sold, lent and rented out; the same car in two crashes of two people is still worth a look.
    LinkKind.PLATE: 0.20,
}
# Nobody said who the claimant was: it may be the same person, so it counts about half.
UNKNOWN_SHARE = 0.5
# A claim of their own before: frequent claims say a little; one person's phone in both says nothing more.
OWN_EARLIER_WEIGHT = 0.05
# Shared by so many that it is a fleet, a broker or a repairer.
COMMON_SHARE = 0.5
# Each further claim behind one identifier adds half of the one before, as further signs of one code do.
REPEAT_SHARE = 0.5

OWN_EARLIER_CODE = "own_earlier_claim"
_MOST_NAMED = 5
_WORDS = {LinkKind.ACCOUNT: "account", LinkKind.PHONE: "phone", LinkKind.EMAIL: "e-mail", LinkKind.PLATE: "plate"}


def link_code(kind: LinkKind) -> str:
    """Return the indicator's code, for example ``shared_phone``."""
    return f"shared_{kind.value.lower()}"


def link_indicators(links: Iterable[ClaimLink]) -> list[FraudIndicator]:
    """Return one indicator per shared identifier and one for the claimant's own earlier claims."""
    own: dict[str, list[LinkKind]] = defaultdict(list)
    others: dict[LinkKind, list[ClaimLink]] = defaultdict(list)
    for link in links:
        if link.relation is LinkRelation.OWN:
            own[link.claim_number].append(link.kind)
        else:
            others[link.kind].append(link)
    found = [_shared(kind, others[kind]) for kind in LinkKind if others[kind]]
    return [*found, _own_earlier(own)] if own else found


def _shared(kind: LinkKind, links: Sequence[ClaimLink]) -> FraudIndicator:
    known = [link for link in links if link.relation is LinkRelation.OTHER]
    unknown = [link for link in links if link.relation is LinkRelation.UNKNOWN]
    shares = [1.0] * len(known) + [UNKNOWN_SHARE] * len(unknown)
    weight = joined_repeats(LINK_WEIGHTS[kind] * share for share in shares)
    detail = "; ".join(
        f"same {_WORDS[kind]} as {_numbers([link.claim_number for link in group])} {whose}"
        for group, whose in ((known, "of another person"), (unknown, "of a claimant whose name is not known"))
        if group
    )
    if any(link.common for link in links):
        weight *= COMMON_SHARE
        detail += "; so many claims share it that it may be a fleet's, a broker's or a repairer's"
    return FraudIndicator(link_code(kind), round(weight, 4), detail)


def _own_earlier(own: dict[str, list[LinkKind]]) -> FraudIndicator:
    weight = joined_repeats(OWN_EARLIER_WEIGHT for _ in own)
    kinds = sorted({_WORDS[kind] for found in own.values() for kind in found})
    detail = f"the same claimant in {_numbers(list(own))} (same name and {', '.join(kinds)})"
    return FraudIndicator(OWN_EARLIER_CODE, round(weight, 4), detail)


def joined_repeats(weights: Iterable[float]) -> float:
    """Join weights of one kind: each further one counts half of the one before, and none leads to certainty."""
    doubt = 1.0
    for position, weight in enumerate(weights):
        doubt *= 1.0 - weight * REPEAT_SHARE**position
    return 1.0 - doubt


def _numbers(numbers: Sequence[str]) -> str:
    named = ", ".join(numbers[:_MOST_NAMED])
    more = len(numbers) - _MOST_NAMED
    plural = "s" if len(numbers) > 1 else ""
    return f"claim{plural} {named}" + (f" and {more} more" if more > 0 else "")
