"""The shape of a vision answer: every statement carries a kind and a time, to be held against a measurement.

The keywords are those that OpenAI's structured output and llama.cpp's grammar both understand: everything required,
nothing additional, enumerations, bounds.
"""

from __future__ import annotations

from typing import Final

from aiassist.gateway.types import JsonObject
from aiassist.types import HazardKind, Scenario, Severity

UNSURE: Final = "UNSURE"
MAX_STATEMENTS = 40

_SECONDS: Final = {"type": "number", "minimum": 0, "maximum": 86_400}

_STATEMENT: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["kind", "start_seconds", "end_seconds", "certainty"],
    "properties": {
        "kind": {"type": "string", "enum": [kind.value for kind in HazardKind]},
        "start_seconds": _SECONDS,
        "end_seconds": _SECONDS,
        "certainty": {"type": "number", "minimum": 0, "maximum": 1},
    },
}

VISION_ANSWER_NAME = "vision_answer"
VISION_SCHEMA: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["view", "severity", "scenario", "statements"],
    "properties": {
        "view": {"type": "string", "enum": ["DASHCAM", "OTHER", UNSURE]},
        "severity": {"type": "string", "enum": [*(level.value for level in Severity), UNSURE]},
        "scenario": {"type": "string", "enum": [scenario.value for scenario in Scenario]},
        "statements": {"type": "array", "maxItems": MAX_STATEMENTS, "items": _STATEMENT},
    },
}
