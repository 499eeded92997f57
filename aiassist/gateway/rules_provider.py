"""The last link of the chain: repeats as a vision answer what was measured. No network, no model; it cannot fail."""

from __future__ import annotations

import math

from aiassist.gateway.types import RULES, JsonObject, ProviderAnswer, Reach, VisionRequest
from aiassist.gateway.vision_schema import MAX_STATEMENTS, UNSURE
from aiassist.types import HazardKind, Scenario

RULES_MODEL = "rules-1"
_KINDS = frozenset(HazardKind)


class RulesProvider:
    """Answers from the measured facts in the request alone."""

    name = RULES
    model = RULES_MODEL
    reach = Reach.NOWHERE

    def state(self, request: VisionRequest) -> JsonObject:
        """State every measured event and nothing else; severity and view stay unsure, for no one looked."""
        events = request.measured.get("events")
        statements = [found for event in events if (found := _statement(event))] if isinstance(events, list) else []
        return {
            "view": UNSURE,
            "severity": UNSURE,
            "scenario": Scenario.UNKNOWN.value,
            "statements": statements[:MAX_STATEMENTS],
        }

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Answer at once, as any other link would."""
        return ProviderAnswer(content=self.state(request), model=RULES_MODEL)


def _statement(event: object) -> dict[str, object] | None:
    """Turn one measured event into a statement; None for what is no event."""
    if not isinstance(event, dict) or event.get("kind") not in _KINDS:
        return None
    numbers = {key: event.get(key) for key in ("start_seconds", "end_seconds", "score")}
    if not all(isinstance(value, int | float) and 0 <= value < math.inf for value in numbers.values()):
        return None
    return {
        "kind": event["kind"],
        "start_seconds": numbers["start_seconds"],
        "end_seconds": numbers["end_seconds"],
        "certainty": min(1.0, float(numbers["score"] or 0.0)),
    }
