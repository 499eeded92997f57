"""The words between the pipeline and the models: one request, one answer, one kind of failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from aiassist.types import Keyframe
from observability.errors import PlatformError

JsonObject = Mapping[str, object]


class ErrorKind(StrEnum):
    """What the chain does next: the same provider again, the next one, or straight to the last link."""

    RETRY = "RETRY"
    NEXT = "NEXT"
    FATAL = "FATAL"


@dataclass(frozen=True)
class Usage:
    """Tokens of one or more calls, and what they cost once they are billed; cached ones are part of the input."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    cached_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_usd + other.cost_usd,
            self.cached_tokens + other.cached_tokens,
        )


class ProviderError(PlatformError):
    """A provider did not give a usable answer. Holds a code only, never what the provider wrote.

    `outage` says that the service itself is ailing: it cannot be reached, takes too long, or fails (5xx).
    `usage` is what a useless answer used all the same; None where the provider told nothing.
    """

    code = "provider_failed"
    message = "The provider gave no usable answer."

    def __init__(
        self, code: str, *, kind: ErrorKind, retry_after_seconds: float | None = None, outage: bool = False
    ) -> None:
        super().__init__(code=code)
        self.kind = kind
        self.retry_after_seconds = retry_after_seconds
        self.outage = outage
        self.usage: Usage | None = None


class NotAsked(ProviderError):
    """Something around the provider kept the call back: nothing left the house, nothing was paid."""

    def __init__(self, code: str) -> None:
        super().__init__(code, kind=ErrorKind.NEXT)


class Reach(StrEnum):
    """Where a provider sends data: out of the house, to a server of our own, or nowhere."""

    EXTERNAL = "EXTERNAL"
    LOCAL = "LOCAL"
    NOWHERE = "NOWHERE"


@dataclass(frozen=True)
class VisionRequest:
    """One question to a vision model.

    `instructions` is our own text (prompt `prompt_version`). `measured` and `claimant_text` are data: they reach a
    model only inside delimited blocks. `answer_schema` is the JSON schema that every answer must satisfy.
    """

    instructions: str
    prompt_version: str
    measured: JsonObject
    claimant_text: str
    pictures: tuple[Keyframe, ...]
    answer_schema: JsonObject
    answer_name: str
    max_output_tokens: int = 1200  # 40 statements of about 25 tokens, and room


@dataclass(frozen=True)
class ProviderAnswer:
    """What one provider answered; `content` is parsed JSON that the chain has yet to hold against the schema.

    `cached`: nobody was asked this time, and nothing was paid.
    """

    content: object
    model: str
    usage: Usage = Usage()
    cached: bool = False


class VisionProvider(Protocol):
    """One link of the chain. A breaker, a cache or a ledger is another `VisionProvider` around it."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str:
        """The configured model; the served one stands in the answer."""
        ...

    @property
    def reach(self) -> Reach: ...

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Answer within the timeout or raise ProviderError."""
        ...


@dataclass(frozen=True)
class ChainAnswer:
    """The standard answer of the chain: valid content, who served it, what it took, and what failed on the way.

    `attempts` counts calls that left, `retries` those that asked a provider again; `usage` sums all of them.
    """

    content: JsonObject
    provider: str
    model: str
    prompt_version: str
    attempts: int
    retries: int = 0
    usage: Usage = Usage()
    cached: bool = False
    errors: tuple[str, ...] = ()

    @property
    def held_back_by_budget(self) -> bool:
        """Tell whether a provider was not asked because the tenant's budget had no room for it."""
        return any(error.endswith(f":{NO_BUDGET}") for error in self.errors)

    @property
    def from_model(self) -> bool:
        """Tell whether a model took part (False: the rules answered)."""
        return self.provider != RULES


NO_BUDGET = "budget"  # the code of a call that a budget had no room for
RULES = "rules"  # name of the last link; fixed by API.md
PROVIDER_NAMES = ("openai", "anthropic", "local")  # the links before it, in their order
# The fallback that is noted when the rules answer after a model could not.
RULES_ANSWER = "rules-answer"
# The one that is noted when a provider is left alone and its answer from before serves.
REMEMBERED_ANSWER = "remembered-answer"
