"""What stands around a provider is another provider of the same name, model and reach."""

from __future__ import annotations

from aiassist.gateway.types import ProviderAnswer, Reach, VisionProvider, VisionRequest


class ProviderAround:
    """Another provider, passed through; what stands around it overrides `ask`."""

    def __init__(self, inner: VisionProvider) -> None:
        self._inner = inner

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def reach(self) -> Reach:
        return self._inner.reach

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Answer as the inner provider does."""
        return self._inner.ask(request, timeout_seconds=timeout_seconds)
