"""Where each fault rule is written, per jurisdiction. Data only; a jurisdiction that is not listed uses the default.

Default: Convention on Road Traffic, Vienna 1968 (the paragraph on distance was 13(3) in 1968 and is 13(5) since the
amendments of 1993). DE: Straßenverkehrs-Ordnung. GB: The Highway Code.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RuleCode(StrEnum):
    """The rules that can move the share; each is applied at most once."""

    KEEP_DISTANCE = "keep_distance"
    STRUCK_FROM_BEHIND = "struck_from_behind"
    SUDDEN_BRAKING_AHEAD = "sudden_braking_ahead"
    OWN_SUDDEN_BRAKING = "own_sudden_braking"
    REACTED = "reacted"
    NO_REACTION = "no_reaction"
    OTHER_CHANGED_LANE = "other_changed_lane"
    OWN_LANE_CHANGE = "own_lane_change"
    RIGHT_OF_WAY_OPEN = "right_of_way_open"
    CONTROL_OF_VEHICLE = "control_of_vehicle"
    KEEP_TO_OWN_SIDE = "keep_to_own_side"
    NOT_INVOLVED = "not_involved"
    NO_CONTACT = "no_contact"
    NO_EVENT_SEEN = "no_event_seen"


# Facts of the video, not rules of the road: they are the same everywhere.
_MEASURED: Final = {
    RuleCode.NOT_INVOLVED: "Measured: no impact on the insured vehicle",
    RuleCode.NO_CONTACT: "Measured: no contact",
    RuleCode.NO_EVENT_SEEN: "Measured: no event in the video",
}

DEFAULT: Final[Mapping[RuleCode, str]] = {
    RuleCode.KEEP_DISTANCE: "Vienna Convention 1968 Art. 13(3) (since 1993 Art. 13(5))",
    RuleCode.STRUCK_FROM_BEHIND: "Vienna Convention 1968 Art. 13(3) (since 1993 Art. 13(5))",
    RuleCode.SUDDEN_BRAKING_AHEAD: "Vienna Convention 1968 Art. 17(1)",
    RuleCode.OWN_SUDDEN_BRAKING: "Vienna Convention 1968 Art. 17(1)",
    RuleCode.REACTED: "Vienna Convention 1968 Art. 13(1)",
    RuleCode.NO_REACTION: "Vienna Convention 1968 Art. 13(1)",
    RuleCode.OTHER_CHANGED_LANE: "Vienna Convention 1968 Art. 14(1)",
    RuleCode.OWN_LANE_CHANGE: "Vienna Convention 1968 Art. 14(1)",
    RuleCode.RIGHT_OF_WAY_OPEN: "Vienna Convention 1968 Art. 18",
    RuleCode.CONTROL_OF_VEHICLE: "Vienna Convention 1968 Art. 13(1)",
    RuleCode.KEEP_TO_OWN_SIDE: "Vienna Convention 1968 Art. 10",
    **_MEASURED,
}

SOURCES: Final[Mapping[str, Mapping[RuleCode, str]]] = {
    "DE": {
        RuleCode.KEEP_DISTANCE: "StVO §4 Abs. 1",
        RuleCode.STRUCK_FROM_BEHIND: "StVO §4 Abs. 1",
        RuleCode.SUDDEN_BRAKING_AHEAD: "StVO §4 Abs. 1 Satz 2",
        RuleCode.OWN_SUDDEN_BRAKING: "StVO §4 Abs. 1 Satz 2",
        RuleCode.REACTED: "StVO §1 Abs. 2",
        RuleCode.NO_REACTION: "StVO §1 Abs. 2",
        RuleCode.OTHER_CHANGED_LANE: "StVO §7 Abs. 5",
        RuleCode.OWN_LANE_CHANGE: "StVO §7 Abs. 5",
        RuleCode.RIGHT_OF_WAY_OPEN: "StVO §8",
        RuleCode.CONTROL_OF_VEHICLE: "StVO §3 Abs. 1",
        RuleCode.KEEP_TO_OWN_SIDE: "StVO §2 Abs. 2",
        **_MEASURED,
    },
    "GB": {
        RuleCode.KEEP_DISTANCE: "Highway Code rule 126",
        RuleCode.STRUCK_FROM_BEHIND: "Highway Code rule 126",
        RuleCode.SUDDEN_BRAKING_AHEAD: "Highway Code rule 118",
        RuleCode.OWN_SUDDEN_BRAKING: "Highway Code rule 118",
        RuleCode.REACTED: "Highway Code rule 146",
        RuleCode.NO_REACTION: "Highway Code rule 146",
        RuleCode.OTHER_CHANGED_LANE: "Highway Code rule 133",
        RuleCode.OWN_LANE_CHANGE: "Highway Code rule 133",
        RuleCode.RIGHT_OF_WAY_OPEN: "Highway Code rule 170",
        RuleCode.CONTROL_OF_VEHICLE: "Highway Code rule 125",
        RuleCode.KEEP_TO_OWN_SIDE: "Highway Code rule 160",
        **_MEASURED,
    },
}


def source_of(rule: RuleCode, jurisdiction: str | None) -> str:
    """Return where the rule is written for an ISO 3166 code (a subdivision such as ``DE-BY`` counts as its country)."""
    country = (jurisdiction or "").upper().partition("-")[0]
    return SOURCES.get(country, DEFAULT)[rule]
