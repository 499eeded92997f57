"""The one file that speaks to the openai SDK; serves OpenAI itself and every server with the same protocol."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from aiassist.gateway.config import EndpointConfig
from aiassist.gateway.messages import measured_block, picture_caption
from aiassist.gateway.schema import parse_strict
from aiassist.gateway.types import ErrorKind, ProviderAnswer, ProviderError, Reach, VisionRequest
from aiassist.gateway.wall_clock import WallClockExceeded, call_within

if TYPE_CHECKING:
    import openai

# RELIABILITY.md: retry only transport errors, 408, 409, 429 and 5xx.
_RETRY_STATUSES = frozenset({408, 409, 429})
_STATUS_CODES = {400: "request_refused", 401: "credentials_refused", 403: "credentials_refused", 404: "model_not_found"}
MAX_MODEL_NAME = 120  # what an assessment can store
_CONNECT_SECONDS = 5.0  # a healthy endpoint answers the handshake in far less; a dead one must not eat the deadline


class OpenAIProvider:
    """One chat-completions endpoint as a link of the chain."""

    def __init__(self, name: str, config: EndpointConfig, *, reach: Reach) -> None:
        self.name = name
        self.reach = reach
        self._config = config

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Send instructions, data block and pictures; return the parsed answer.

        Raises: ProviderError, classified by the SDK's own error classes.
        """
        import openai  # noqa: PLC0415 (half a second and 40 MB that a process without a provider never pays)

        client = self._client(openai, timeout_seconds)
        try:
            envelope = call_within(timeout_seconds, lambda: self._complete(client, request))
        except WallClockExceeded as slow:
            raise ProviderError("timeout", kind=ErrorKind.RETRY) from slow
        except openai.APITimeoutError as slow:
            raise ProviderError("timeout", kind=ErrorKind.RETRY) from slow
        except openai.APIConnectionError as unreachable:
            raise ProviderError("unreachable", kind=ErrorKind.RETRY) from unreachable
        except openai.APIStatusError as refused:
            raise _status_error(refused) from refused
        except openai.OpenAIError as problem:
            raise ProviderError("client_refused", kind=ErrorKind.NEXT) from problem
        finally:
            client.close()
        return _answer_from(parse_strict(envelope), fallback_model=self._config.model)

    def _client(self, sdk: Any, timeout_seconds: float) -> openai.OpenAI:
        timeout = sdk.Timeout(timeout_seconds, connect=min(timeout_seconds, _CONNECT_SECONDS))
        client: openai.OpenAI = sdk.OpenAI(
            api_key=self._config.api_key or "none",  # servers of our own need none, the SDK insists on a word
            base_url=self._config.base_url,
            max_retries=0,  # the chain is the only retry loop
            timeout=timeout,
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


def _answer_from(envelope: object, *, fallback_model: str) -> ProviderAnswer:
    """Take the answer out of the protocol's envelope."""
    choice = _first_choice(envelope)
    message = choice.get("message")
    if choice.get("finish_reason") == "length":
        raise ProviderError("answer_truncated", kind=ErrorKind.NEXT)
    if choice.get("finish_reason") == "content_filter" or (isinstance(message, dict) and message.get("refusal")):
        raise ProviderError("answer_refused", kind=ErrorKind.NEXT)
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise ProviderError("answer_missing", kind=ErrorKind.NEXT)
    assert isinstance(envelope, dict)
    model, usage = envelope.get("model"), envelope.get("usage")
    return ProviderAnswer(
        content=parse_strict(text),
        model=model if _is_model_name(model) else fallback_model,
        input_tokens=_token_count(usage, "prompt_tokens"),
        output_tokens=_token_count(usage, "completion_tokens"),
    )


def _is_model_name(model: object) -> TypeGuard[str]:
    """Tell whether the name that the server gives can be stored and shown."""
    return isinstance(model, str) and 0 < len(model) <= MAX_MODEL_NAME and model.isprintable()


def _first_choice(envelope: object) -> Mapping[str, object]:
    choices = envelope.get("choices") if isinstance(envelope, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ProviderError("answer_missing", kind=ErrorKind.NEXT)
    return choices[0]


def _token_count(usage: object, key: str) -> int:
    count = usage.get(key) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0


def _status_error(refused: openai.APIStatusError) -> ProviderError:
    """Classify an HTTP refusal; a spent quota is a 429 that no waiting heals."""
    status = refused.status_code
    if status == 429 and refused.code == "insufficient_quota":
        return ProviderError("quota_spent", kind=ErrorKind.NEXT)
    if status in _RETRY_STATUSES or status >= 500:
        code = "rate_limited" if status == 429 else f"http_{status}"
        return ProviderError(code, kind=ErrorKind.RETRY, retry_after_seconds=_retry_after(refused.response.headers))
    return ProviderError(_STATUS_CODES.get(status, f"http_{status}"), kind=ErrorKind.NEXT)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After as seconds, given as seconds or as an HTTP date; None where it says nothing usable."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _seconds_until(http_date: str) -> float:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return math.nan
    return (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
