"""A provider whose every call is one span: who was asked, how many tokens, how it failed; never what was said."""

from __future__ import annotations

from aiassist.gateway.around import ProviderAround
from aiassist.gateway.types import ProviderAnswer, ProviderError, Usage, VisionRequest
from observability.tracing import ModelCallSpan, model_call_span


class TracedProvider(ProviderAround):
    """Another provider, called inside a span."""

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Answer as the inner provider does."""
        with model_call_span(provider=self.name, model=self.model) as span:
            try:
                answer = self._inner.ask(request, timeout_seconds=timeout_seconds)
            except ProviderError as error:
                span.failed(error.code)
                _tell(span, error.usage)
                raise
            span.answered(model=answer.model)
            _tell(span, answer.usage)
        return answer


def _tell(span: ModelCallSpan, usage: Usage | None) -> None:
    if usage is not None:
        span.told_usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
