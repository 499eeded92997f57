"""A question to a vision model and valid answers to it, for the tests of the gateway."""

from __future__ import annotations

from aiassist.gateway.types import VisionRequest
from aiassist.gateway.vision_schema import VISION_ANSWER_NAME, VISION_SCHEMA
from aiassist.types import Keyframe

GOOD_ANSWER = {
    "view": "DASHCAM",
    "severity": "MEDIUM",
    "scenario": "REAR_END",
    "statements": [{"kind": "IMPACT", "start_seconds": 4.4, "end_seconds": 4.6, "certainty": 0.9}],
}


def make_request(*, claimant_text: str = "I was hit.", pictures: int = 1) -> VisionRequest:
    event = {"kind": "IMPACT", "start_seconds": 4.4, "end_seconds": 4.6, "score": 0.8, "source": "motion"}
    return VisionRequest(
        instructions="Say what you see.",
        prompt_version="vision_v1",
        measured={"duration_seconds": 8.0, "events": [event]},
        claimant_text=claimant_text,
        pictures=tuple(Keyframe(float(at), b"\xff\xd8picture") for at in range(pictures)),
        answer_schema=VISION_SCHEMA,
        answer_name=VISION_ANSWER_NAME,
    )
