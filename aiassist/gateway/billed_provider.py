"""A provider whose every paid call stands in the tenant's ledger, also when its answer was of no use."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import structlog
from django.db import Error as DatabaseProblem
from django.utils import timezone

from aiassist.gateway.around import ProviderAround
from aiassist.gateway.messages import measured_block
from aiassist.gateway.prices import PRICES_OF, cost_usd
from aiassist.gateway.types import ProviderAnswer, ProviderError, Reach, Usage, VisionProvider, VisionRequest
from observability import metrics
from tenancy.choices import CostCategory
from tenancy.ledger import ModelCall, record_cost

log = structlog.get_logger(__name__)

# Upper bounds for a provider that tells no tokens. Tokens of English text have about four characters; a picture of
# ours is at most what Anthropic's vision guide calls the largest standard one.
_CHARACTERS_PER_TOKEN = 3
_TOKENS_PER_PICTURE = 1_600


class BilledProvider(ProviderAround):
    """Another provider; what it used is priced and recorded under `reference`, the id of the claim."""

    def __init__(self, inner: VisionProvider, *, reference: str) -> None:
        super().__init__(inner)
        self._reference = reference

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Answer as the inner provider does, with the cost filled in.

        A call that ended without a word about tokens (no connection, no answer in time) is not known to cost anything
        and is not recorded.
        """
        try:
            answer = self._inner.ask(request, timeout_seconds=timeout_seconds)
        except ProviderError as error:
            if error.usage is not None:
                error.usage = self._bill(request, error.usage)
            raise
        return replace(answer, usage=self._bill(request, answer.usage))

    def _bill(self, request: VisionRequest, told: Usage) -> Usage:
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
        )
        try:
            record_cost(call=call, reference=self._reference, now=timezone.now())
        except DatabaseProblem as problem:
            # The answer is paid and kept; the line holds what the ledger misses.
            log.error("cost_not_recorded", error=type(problem).__name__, cost=str(call.amount_usd), provider=self.name)
        _count(call)
        return replace(usage, cost_usd=call.amount_usd)

    def _price(self, usage: Usage) -> Decimal:
        if self.reach is Reach.LOCAL:
            return Decimal(0)  # a server of our own has no price per token
        return cost_usd(self.model, input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)


def _count(call: ModelCall) -> None:
    metrics.PROVIDER_TOKENS.labels(provider=call.provider, direction="input").inc(call.input_tokens)
    metrics.PROVIDER_TOKENS.labels(provider=call.provider, direction="output").inc(call.output_tokens)
    metrics.PROVIDER_COST.labels(provider=call.provider).inc(float(call.amount_usd))


def most_it_can_be(request: VisionRequest) -> Usage:
    """Return an upper bound of the tokens that the request can have used."""
    characters = len(request.instructions) + len(measured_block(request)) + len(str(request.answer_schema))
    pictures = len(request.pictures) * _TOKENS_PER_PICTURE
    return Usage(characters // _CHARACTERS_PER_TOKEN + pictures + 1, request.max_output_tokens)
