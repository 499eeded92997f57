"""The one file that speaks to the openai SDK; serves OpenAI itself and every server with the same protocol."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from aiassist.gateway.config import EndpointConfig
from aiassist.gateway.envelopes import Envelope, Protocol, answer_in
from aiassist.gateway.messages import measured_block, picture_caption
from aiassist.gateway.sdk_calls import SdkErrors, classified_call
from aiassist.gateway.types import ErrorKind, ProviderAnswer, ProviderError, Reach, VisionRequest

if TYPE_CHECKING:
    import openai


class OpenAIProvider:
    """One chat-completions endpoint as a link of the chain."""

    def __init__(self, name: str, config: EndpointConfig, *, reach: Reach) -> None:
        self.name = name
        self.model = config.model
        self.reach = reach
        self._config = config

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Send instructions, data block and pictures; return the parsed answer.

        Raises: ProviderError.
        """
        import openai  # noqa: PLC0415 (half a second and 40 MB that a process without a provider never pays)

        from aiassist.gateway.http_client import bounded_client  # noqa: PLC0415 (as above)

        client = self._client(openai, bounded_client(timeout_seconds=timeout_seconds))
        errors = SdkErrors.of(openai, base=openai.OpenAIError)
        try:
            body = classified_call(
                lambda: self._complete(client, request), timeout_seconds=timeout_seconds, errors=errors
            )
        finally:
            client.close()
        return answer_in(body, _CHAT_COMPLETIONS, configured=self._config.model)

    def _client(self, sdk: Any, http_client: Any) -> openai.OpenAI:
        client: openai.OpenAI = sdk.OpenAI(
            api_key=self._config.api_key or "none",  # servers of our own need none, the SDK insists on a word
            base_url=self._config.base_url,
            max_retries=0,  # the chain is the only retry loop
            timeout=http_client.timeout,
            http_client=http_client,
        )
        return client

    def _complete(self, client: openai.OpenAI, request: VisionRequest) -> str:
        body: dict[str, Any] = {
            "model": self._config.model,
            "messages": _messages(request),
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": request.answer_name, "strict": True, "schema": request.answer_schema},
            },
        }
        # OpenAI's newer models refuse `max_tokens` and any temperature; many other servers know only these two.
        if self.reach is Reach.EXTERNAL:
            body["max_completion_tokens"] = request.max_output_tokens
        else:
            body |= {"max_tokens": request.max_output_tokens, "temperature": 0}
        response = client.chat.completions.with_raw_response.create(**body)
        return str(response.text)


def _messages(request: VisionRequest) -> list[dict[str, Any]]:
    """Instructions as the system's words; everything that came from outside as data in the user's message."""
    parts: list[dict[str, Any]] = [{"type": "text", "text": measured_block(request)}]
    for picture in request.pictures:
        url = "data:image/jpeg;base64," + base64.b64encode(picture.jpeg).decode("ascii")
        parts.append({"type": "text", "text": picture_caption(picture)})
        parts.append({"type": "image_url", "image_url": {"url": url, "detail": "low"}})
    return [{"role": "system", "content": request.instructions}, {"role": "user", "content": parts}]


def _text_of(envelope: Envelope) -> str:
    choice = _first_choice(envelope)
    message = choice.get("message")
    if choice.get("finish_reason") == "length":
        raise ProviderError("answer_truncated", kind=ErrorKind.NEXT)
    if choice.get("finish_reason") == "content_filter" or (isinstance(message, dict) and message.get("refusal")):
        raise ProviderError("answer_refused", kind=ErrorKind.NEXT)
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise ProviderError("answer_missing", kind=ErrorKind.NEXT)
    return text


def _first_choice(envelope: Envelope) -> Envelope:
    choices = envelope.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ProviderError("answer_missing", kind=ErrorKind.NEXT)
    return choices[0]


_CHAT_COMPLETIONS = Protocol(
    _text_of,
    input_tokens="prompt_tokens",
    output_tokens="completion_tokens",
    cached_tokens=("prompt_tokens_details", "cached_tokens"),
    cached_apart=False,
)
