"""The two protocols that the providers speak, as a server on the other side writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from aiassist.gateway.anthropic_provider import AnthropicProvider
from aiassist.gateway.config import EndpointConfig
from aiassist.gateway.openai_provider import OpenAIProvider
from aiassist.gateway.types import Reach, VisionProvider
from tests.aiassist.gateway.loopback import Turn, sends

KEY = "sk-test-0123456789abcdef"


@dataclass(frozen=True)
class Wire:
    """One protocol: its adapter for an address, and its envelope around an answer's text."""

    name: str
    link: Callable[[str], VisionProvider]
    envelope: Callable[[object], dict[str, object]]
    cut_short: dict[str, object]
    refused: dict[str, object]

    def answers(self, text: object, **changes: object) -> Turn:
        return sends(200, json.dumps(self.envelope(text) | changes))

    def answers_json(self, content: object) -> Turn:
        return self.answers(json.dumps(content))


def openai_link(url: str) -> VisionProvider:
    return OpenAIProvider("openai", EndpointConfig(url, "asked-model", KEY), reach=Reach.EXTERNAL)


def anthropic_link(url: str) -> VisionProvider:
    return AnthropicProvider(
        "anthropic", EndpointConfig(url.removesuffix("/v1"), "asked-model", KEY), reach=Reach.EXTERNAL
    )


def openai_choice(text: object, finish_reason: str = "stop") -> dict[str, object]:
    return {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}


def openai_envelope(text: object) -> dict[str, object]:
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "served-model",
        "choices": [openai_choice(text)],
        "usage": {"prompt_tokens": 321, "completion_tokens": 45, "total_tokens": 366},
    }


def anthropic_envelope(text: object) -> dict[str, object]:
    return {
        "id": "msg_x",
        "type": "message",
        "role": "assistant",
        "model": "served-model",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 321, "output_tokens": 45},
    }


OPENAI = Wire(
    "openai",
    openai_link,
    openai_envelope,
    cut_short={"choices": [openai_choice("{}", "length")]},
    refused={"choices": [openai_choice("{}", "content_filter")]},
)
ANTHROPIC = Wire(
    "anthropic",
    anthropic_link,
    anthropic_envelope,
    cut_short={"stop_reason": "max_tokens"},
    refused={"stop_reason": "refusal"},
)
WIRES = (OPENAI, ANTHROPIC)
