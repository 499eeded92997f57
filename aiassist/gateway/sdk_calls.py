"""One call through an SDK: bounded by the wall clock, and every way it can fail told in the chain's words.

The two SDKs come from the same generator and raise classes of the same meaning; each adapter names its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiassist.gateway.refusals import refusal_error
from aiassist.gateway.types import ErrorKind, ProviderError
from aiassist.gateway.wall_clock import WallClockExceeded, call_within


class BodyTooLarge(Exception):
    """The server sends more than any answer can be; the rest is not read."""


@dataclass(frozen=True)
class SdkErrors:
    """An SDK's own error classes: no answer in time, no connection, an HTTP refusal, and the base of all."""

    timeout: type[Exception]
    connection: type[Exception]
    status: type[Any]
    base: type[Exception]

    @classmethod
    def of(cls, sdk: Any, *, base: type[Exception]) -> SdkErrors:
        return cls(sdk.APITimeoutError, sdk.APIConnectionError, sdk.APIStatusError, base)


def classified_call(call: Callable[[], str], *, timeout_seconds: float, errors: SdkErrors) -> str:
    """Return the body that `call` returns.

    Raises: ProviderError with a code of ours; what the provider wrote stays out of it.
    """
    try:
        return call_within(timeout_seconds, call)
    except (WallClockExceeded, errors.timeout) as slow:
        raise ProviderError("timeout", kind=ErrorKind.RETRY, outage=True) from slow
    except (BodyTooLarge, errors.connection) as broken:
        if BodyTooLarge in (type(broken), type(broken.__cause__)):  # one SDK wraps it, the other lets it through
            raise ProviderError("answer_too_long", kind=ErrorKind.NEXT) from broken
        raise ProviderError("unreachable", kind=ErrorKind.RETRY, outage=True) from broken
    except errors.status as refused:
        raise refusal_error(refused.status_code, refused.response.headers, word=_word_of(refused)) from refused
    except errors.base as problem:
        raise ProviderError("client_refused", kind=ErrorKind.NEXT) from problem


def _word_of(refused: Any) -> str:
    """Return the protocol's own code of the refusal, to compare only."""
    word = getattr(refused, "code", None)
    return word if isinstance(word, str) else ""
