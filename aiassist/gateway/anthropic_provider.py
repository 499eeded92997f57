"""The one file that speaks to the anthropic SDK: the messages protocol with structured output."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from aiassist.gateway.config import EndpointConfig
from aiassist.gateway.envelopes import Envelope, Protocol, answer_in
from aiassist.gateway.messages import measured_block, picture_caption
from aiassist.gateway.sdk_calls import SdkErrors, classified_call
from aiassist.gateway.types import ErrorKind, ProviderAnswer, ProviderError, Reach, VisionRequest

if TYPE_CHECKING:
    import anthropic

# Newer models think before they answer and count that against the limit; older ones leave the room unused.
_THINKING_TOKENS = 3_000
_UNFINISHED = ("max_tokens", "model_context_window_exceeded", "pause_turn")


class AnthropicProvider:
    """Anthropic's messages endpoint as a link of the chain."""

    def __init__(self, name: str, config: EndpointConfig, *, reach: Reach) -> None:
        self.name = name
        self.model = config.model
        self.reach = reach
        self._config = config

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Send instructions, data block and pictures; return the parsed answer.

        Raises: ProviderError.
        """
        import anthropic  # noqa: PLC0415 (half a second and 40 MB that a process without a provider never pays)

        from aiassist.gateway.http_client import bounded_client  # noqa: PLC0415 (as above)

        client = self._client(anthropic, bounded_client(timeout_seconds=timeout_seconds))
        body = self._body(request, schema=anthropic.transform_schema(dict(request.answer_schema)))
        errors = SdkErrors.of(anthropic, base=anthropic.AnthropicError)
        try:
            answer = classified_call(lambda: _complete(client, body), timeout_seconds=timeout_seconds, errors=errors)
        finally:
            client.close()
        return answer_in(answer, _MESSAGES, configured=self._config.model)

    def _client(self, sdk: Any, http_client: Any) -> anthropic.Anthropic:
        client: anthropic.Anthropic = sdk.Anthropic(
            api_key=self._config.api_key,  # given, so that the SDK looks for no other credential on this machine
            base_url=self._config.base_url,
            max_retries=0,  # the chain is the only retry loop
            timeout=http_client.timeout,
            http_client=http_client,
            # The SDK's own spans can be told by the environment to carry prompts; ours never do.
            open_telemetry={"traces": False, "propagation": False},
        )
        return client

    def _body(self, request: VisionRequest, *, schema: dict[str, Any]) -> dict[str, Any]:
        """Forced tool use is refused by the newest models, so the schema goes in as the output's format.

        The format knows no bounds (the SDK turns them into words); the chain checks the whole schema afterwards.
        """
        return {
            "model": self._config.model,
            "max_tokens": request.max_output_tokens + _THINKING_TOKENS,
            "system": request.instructions,
            "messages": [{"role": "user", "content": _content(request)}],
            "output_config": {"format": {"type": "json_schema", "schema": schema}},
        }


def _complete(client: anthropic.Anthropic, body: dict[str, Any]) -> str:
    return str(client.messages.with_raw_response.create(**body).text())


def _content(request: VisionRequest) -> list[dict[str, Any]]:
    """Everything that came from outside, as data in the user's message."""
    parts: list[dict[str, Any]] = [{"type": "text", "text": measured_block(request)}]
    for picture in request.pictures:
        data = base64.b64encode(picture.jpeg).decode("ascii")
        parts.append({"type": "text", "text": picture_caption(picture)})
        parts.append({"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": data}})
    return parts


def _text_of(envelope: Envelope) -> str:
    """Return the text of the message; thinking and other blocks are no answer."""
    stopped = envelope.get("stop_reason")
    if stopped == "refusal":
        raise ProviderError("answer_refused", kind=ErrorKind.NEXT)
    if stopped in _UNFINISHED:
        raise ProviderError("answer_truncated", kind=ErrorKind.NEXT)
    blocks = envelope.get("content")
    texts = [
        block["text"]
        for block in (blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(block.get("text"), str)
    ]
    if not texts:
        raise ProviderError("answer_missing", kind=ErrorKind.NEXT)
    return "".join(texts)


_MESSAGES = Protocol(
    _text_of,
    input_tokens="input_tokens",
    output_tokens="output_tokens",
    cached_tokens=("cache_read_input_tokens",),
    cached_apart=True,
)
