"""A provider whose every paid call fits the tenant's budgets and stands in its ledger, also when its answer was of no
use: the most it can cost is held before the call, what it did cost is settled after it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import structlog
from django.db import Error as DatabaseProblem
from django.utils import timezone

from aiassist.gateway.around import ProviderAround
from aiassist.gateway.messages import measured_block
from aiassist.gateway.types import (
    NO_BUDGET,
    NotAsked,
    ProviderAnswer,
    ProviderError,
    Reach,
    Usage,
    VisionProvider,
    VisionRequest,
)
from observability import metrics
from tenancy.choices import CostCategory
from tenancy.costs.errors import BudgetExhausted
from tenancy.costs.prices import INFERENCE_USD, PICTURE_WIDTH, PRICES_OF, TALLEST_PICTURE, cost_usd, picture_tokens
from tenancy.costs.reservations import STOPS_OTHERS, STOPS_OWN, SpendHold, release_spend, reserve_spend
from tenancy.ledger import ModelCall, record_cost

log = structlog.get_logger(__name__)

# Upper bounds for a provider that tells no tokens. Tokens of English text have about four characters; a picture of
# ours is at most what Anthropic's vision guide calls the largest standard one.
_CHARACTERS_PER_TOKEN = 3
_TOKENS_PER_PICTURE = 1_600
# What the models that think before they answer may use beside the answer (`anthropic_provider`).
_THINKING_TOKENS = 3_000


class BilledProvider(ProviderAround):
    """Another provider; what it used is priced and recorded under `reference`, the id of the claim."""

    def __init__(self, inner: VisionProvider, *, reference: str) -> None:
        super().__init__(inner)
        self._reference = reference

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Answer as the inner provider does, with the cost filled in, or raise NotAsked where no budget has room.

        A call that ended without a word about tokens (no connection, no answer in time) is not known to cost anything
        and is not recorded.
        """
        hold = self._reserve(request)
        settled = False
        try:
            answer = self._inner.ask(request, timeout_seconds=timeout_seconds)
            settled = True
            return replace(answer, usage=self._bill(request, answer.usage, hold))
        except ProviderError as error:
            if error.usage is not None and not settled:
                settled = True
                error.usage = self._bill(request, error.usage, hold)
            raise
        finally:
            if hold is not None and not settled:
                self._release(hold)

    def _reserve(self, request: VisionRequest) -> SpendHold | None:
        own = self.reach is Reach.LOCAL
        most = INFERENCE_USD if own else most_it_can_cost(self.model, request)
        try:
            return reserve_spend(
                amount_usd=most,
                reference=self._reference,
                now=timezone.now(),
                stopped_by=STOPS_OWN if own else STOPS_OTHERS,
            )
        except BudgetExhausted as exhausted:
            raise NotAsked(NO_BUDGET) from exhausted
        except DatabaseProblem as problem:
            # A limit that cannot be looked up may be used up; the claim is judged without this model.
            log.warning("budget_unreadable", provider=self.name, error=type(problem).__name__)
            raise NotAsked("budget_unreadable") from problem

    def _release(self, hold: SpendHold) -> None:
        try:
            release_spend(hold)
        except DatabaseProblem as problem:
            log.warning("budget_not_released", provider=self.name, error=type(problem).__name__)  # it lapses

    def _bill(self, request: VisionRequest, told: Usage, hold: SpendHold | None) -> Usage:
        usage = told if told.input_tokens or told.output_tokens else most_it_can_be(request)
        call = ModelCall(
            category=CostCategory.INFERENCE if self.reach is Reach.LOCAL else CostCategory.THIRD_PARTY,
            provider=self.name,
            model=self.model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            amount_usd=self._price(usage),
            prices_of=PRICES_OF,
            estimated=usage is not told,
            cached_tokens=usage.cached_tokens,
            pictures=len(request.pictures),
        )
        try:
            record_cost(call=call, reference=self._reference, now=timezone.now(), hold=hold)
        except DatabaseProblem as problem:
            # The answer is paid and kept; the line holds what the ledger misses.
            log.error("cost_not_recorded", error=type(problem).__name__, cost=str(call.amount_usd), provider=self.name)
        _count(call)
        return replace(usage, cost_usd=call.amount_usd)

    def _price(self, usage: Usage) -> Decimal:
        if self.reach is Reach.LOCAL:
            return INFERENCE_USD  # a server of our own has a price per run, none per token
        return cost_usd(
            self.model,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
        )


def _count(call: ModelCall) -> None:
    metrics.PROVIDER_TOKENS.labels(provider=call.provider, direction="input").inc(call.input_tokens)
    metrics.PROVIDER_TOKENS.labels(provider=call.provider, direction="output").inc(call.output_tokens)
    metrics.PROVIDER_COST.labels(provider=call.provider).inc(float(call.amount_usd))


def most_it_can_be(request: VisionRequest) -> Usage:
    """Return an upper bound of the tokens that the request can have used."""
    return Usage(_text_tokens(request) + len(request.pictures) * _TOKENS_PER_PICTURE, request.max_output_tokens)


def most_it_can_cost(model: str, request: VisionRequest) -> Decimal:
    """Return an upper bound of what the request will cost, in US dollars: held until the answer tells more."""
    count = len(request.pictures)
    counted = picture_tokens(model, pictures=count, width=PICTURE_WIDTH, height=TALLEST_PICTURE)
    return cost_usd(
        model,
        input_tokens=_text_tokens(request) + max(counted, count * _TOKENS_PER_PICTURE),
        output_tokens=request.max_output_tokens + _THINKING_TOKENS,
    )


def _text_tokens(request: VisionRequest) -> int:
    characters = len(request.instructions) + len(measured_block(request)) + len(str(request.answer_schema))
    return characters // _CHARACTERS_PER_TOKEN + 1
