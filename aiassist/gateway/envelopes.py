"""Takes an answer out of what stands around it in both protocols; a server's words are hostile input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiassist.gateway.schema import parse_strict
from aiassist.gateway.types import ProviderAnswer, ProviderError, Usage

MAX_MODEL_NAME = 120  # what an assessment can store
MOST_TOKENS = 2**31 - 1  # what the ledger can store
Envelope = Mapping[str, object]


@dataclass(frozen=True)
class Protocol:
    """Where a protocol keeps things: `text_of` finds the answer's text or raises ProviderError.

    `cached_tokens` is the way to the count of cached input; `cached_apart` says that the input does not include it.
    """

    text_of: Callable[[Envelope], str]
    input_tokens: str
    output_tokens: str
    cached_tokens: tuple[str, ...]
    cached_apart: bool


def answer_in(body: str, protocol: Protocol, *, configured: str) -> ProviderAnswer:
    """Return the answer in a response's body; `configured` is the model that was asked for.

    Raises: ProviderError. A useless answer was paid all the same, so its error carries the usage that was told.
    """
    parsed = parse_strict(body)
    envelope = parsed if isinstance(parsed, dict) else {}
    usage = _told_usage(envelope.get("usage"), protocol)
    try:
        content = parse_strict(protocol.text_of(envelope))
    except ProviderError as error:
        error.usage = usage if usage != Usage() else None
        raise
    return ProviderAnswer(content, _served_model(envelope.get("model"), configured=configured), usage)


def _served_model(name: object, *, configured: str) -> str:
    """Return the model that the server says it used, where that can be stored and shown; else the configured one."""
    usable = isinstance(name, str) and 0 < len(name) <= MAX_MODEL_NAME and name.isprintable()
    return str(name) if usable else configured


def _told_usage(told: object, protocol: Protocol) -> Usage:
    counts = told if isinstance(told, dict) else {}
    input_tokens, cached = _count(counts.get(protocol.input_tokens)), _cached(counts, protocol)
    if protocol.cached_apart:
        input_tokens = min(input_tokens + cached, MOST_TOKENS)
    output_tokens = _count(counts.get(protocol.output_tokens))
    return Usage(input_tokens, output_tokens, cached_tokens=min(cached, input_tokens))


def _cached(counts: Envelope, protocol: Protocol) -> int:
    found: object = counts
    for name in protocol.cached_tokens:
        found = found.get(name) if isinstance(found, dict) else None
    return _count(found)


def _count(tokens: object) -> int:
    if not isinstance(tokens, int) or isinstance(tokens, bool):
        return 0
    return max(0, min(tokens, MOST_TOKENS))
