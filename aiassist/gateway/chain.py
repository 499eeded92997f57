"""The provider chain: one retry loop for all links, one total deadline, and a last link that cannot fail."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiassist.gateway.anthropic_provider import AnthropicProvider
from aiassist.gateway.billed_provider import BilledProvider
from aiassist.gateway.config import ChainPolicy, GatewayConfig
from aiassist.gateway.guarded_provider import GuardedProvider
from aiassist.gateway.openai_provider import OpenAIProvider
from aiassist.gateway.reach import reach_of
from aiassist.gateway.remembering_provider import RememberingProvider
from aiassist.gateway.rules_provider import RULES_MODEL, RulesProvider
from aiassist.gateway.schema import valid_answer
from aiassist.gateway.traced_provider import TracedProvider
from aiassist.gateway.types import (
    RULES_ANSWER,
    ChainAnswer,
    ErrorKind,
    NotAsked,
    ProviderAnswer,
    ProviderError,
    Reach,
    Usage,
    VisionProvider,
    VisionRequest,
)
from observability import metrics
from observability.fallbacks import note_fallback


@dataclass
class _Journal:
    """What happened on the way to an answer; only calls that left the house are attempts."""

    attempts: int = 0
    asked: set[str] = field(default_factory=set)
    usage: Usage = field(default_factory=Usage)
    errors: list[str] = field(default_factory=list)

    def note_attempt(self, name: str, usage: Usage | None) -> None:
        self.attempts += 1
        self.asked.add(name)
        self.usage += usage or Usage()


class _GiveUp(Exception):
    """A link has no usable answer; `fatal` means that no other model may be asked either."""

    def __init__(self, *, fatal: bool) -> None:
        super().__init__()
        self.fatal = fatal


class ProviderChain:
    """Asks its links in order; whatever happens, the rules answer at last."""

    def __init__(
        self,
        links: Sequence[VisionProvider],
        *,
        policy: ChainPolicy | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._links = tuple(links)
        self._rules = RulesProvider()
        self._policy = policy or ChainPolicy()
        self._monotonic = monotonic
        self._sleep = sleep
        self._jitter = jitter

    def ask(self, request: VisionRequest, *, external_allowed: bool) -> ChainAnswer:
        """Return the first valid answer within the total deadline, else the rules' own.

        With `external_allowed` False (the tenant's switch "no data leaves") only links inside the house are asked.
        """
        journal = _Journal()
        deadline = self._monotonic() + self._policy.total_deadline_seconds
        allowed = [link for link in self._links if external_allowed or link.reach is not Reach.EXTERNAL]
        links = allowed if request.pictures else []  # without a picture a model could only guess
        for position, link in enumerate(links):
            # Each link gets a fair share of what is left, so that one that hangs does not starve the next.
            share = (deadline - self._monotonic()) / (len(links) - position)
            try:
                return self._ask_link(link, request, self._monotonic() + share, journal)
            except _GiveUp as given_up:
                if given_up.fatal:
                    break
        return self._ask_rules(request, journal)

    def _ask_link(
        self, link: VisionProvider, request: VisionRequest, deadline: float, journal: _Journal
    ) -> ChainAnswer:
        """Try one link until it answers, its attempts are spent or its share of the deadline is used up."""
        for attempt in range(self._policy.attempts_per_provider):
            left = deadline - self._monotonic()
            if left <= 0:
                journal.errors.append(f"{link.name}:deadline_reached")
                raise _GiveUp(fatal=False)
            try:
                return self._call(link, request, min(left, self._policy.call_timeout_seconds), journal)
            except ProviderError as error:
                if error.kind is not ErrorKind.RETRY:
                    raise _GiveUp(fatal=error.kind is ErrorKind.FATAL) from error
                self._wait(attempt, error, deadline)
        raise _GiveUp(fatal=False)

    def _call(
        self, link: VisionProvider, request: VisionRequest, timeout_seconds: float, journal: _Journal
    ) -> ChainAnswer:
        """Make one call and note how it ended; an invalid answer counts as a failure of the link."""
        began = self._monotonic()
        try:
            answer = valid_answer(link.ask(request, timeout_seconds=timeout_seconds), request.answer_schema)
        except ProviderError as error:
            journal.errors.append(f"{link.name}:{error.code}")
            if isinstance(error, NotAsked):
                _count_call(link.name, "not_asked")
                raise
            metrics.PROVIDER_FAILURES.labels(provider=link.name, code=error.code).inc()
            journal.note_attempt(link.name, error.usage)
            _count_call(link.name, error.kind.value.lower(), self._monotonic() - began)
            raise
        if answer.cached:
            _count_call(link.name, "cached")
        else:
            journal.note_attempt(link.name, answer.usage)
            _count_call(link.name, "ok", self._monotonic() - began)
        return _standard_answer(link.name, request, answer, journal)

    def _wait(self, attempt: int, error: ProviderError, deadline: float) -> None:
        """Back off with full jitter, never shorter than Retry-After; a wait that does not fit gives the link up."""
        if attempt + 1 >= self._policy.attempts_per_provider:
            return
        ceiling = min(self._policy.backoff_cap_seconds, self._policy.backoff_base_seconds * 2.0**attempt)
        pause = max(self._jitter(0.0, ceiling), error.retry_after_seconds or 0.0)
        if self._monotonic() + pause >= deadline:
            raise _GiveUp(fatal=False)
        self._sleep(pause)

    def _ask_rules(self, request: VisionRequest, journal: _Journal) -> ChainAnswer:
        """Take the rules' own words; they are this program's and need no validation."""
        if journal.errors:  # a model was wanted and none could
            note_fallback(RULES_ANSWER)
        answer = ProviderAnswer(content=self._rules.state(request), model=RULES_MODEL)
        _count_call(self._rules.name, "ok")
        return _standard_answer(self._rules.name, request, answer, journal)


def _count_call(name: str, outcome: str, seconds: float | None = None) -> None:
    metrics.PROVIDER_CALLS.labels(provider=name, outcome=outcome).inc()
    if seconds is not None:
        metrics.PROVIDER_SECONDS.labels(provider=name).observe(seconds)


def _standard_answer(name: str, request: VisionRequest, answer: ProviderAnswer, journal: _Journal) -> ChainAnswer:
    assert isinstance(answer.content, dict)
    return ChainAnswer(
        content=answer.content,
        provider=name,
        model=answer.model,
        prompt_version=request.prompt_version,
        attempts=journal.attempts,
        retries=journal.attempts - len(journal.asked),
        usage=journal.usage,
        cached=answer.cached,
        errors=tuple(journal.errors),
    )


def chain_from(config: GatewayConfig, *, reference: str) -> ProviderChain:
    """Build the chain in the order of feature A1 from what is configured.

    Around each provider stand, from the inside, its span, its breaker, the ledger and the memory of answers.
    `reference` is the id of the claim in our own books; no provider sees it. Asked inside the tenant's scope.
    """
    links: list[VisionProvider] = []
    if config.openai is not None:
        links.append(OpenAIProvider("openai", config.openai, reach=Reach.EXTERNAL))
    if config.anthropic is not None:
        links.append(AnthropicProvider("anthropic", config.anthropic, reach=Reach.EXTERNAL))
    if config.local is not None:
        links.append(OpenAIProvider("local", config.local, reach=reach_of(config.local.base_url)))
    return ProviderChain([_in_our_books(link, reference) for link in links], policy=config.policy)


def _in_our_books(link: VisionProvider, reference: str) -> VisionProvider:
    guarded = GuardedProvider(TracedProvider(link))  # a call that the breaker keeps back is no span
    return RememberingProvider(BilledProvider(guarded, reference=reference), reference=reference)
