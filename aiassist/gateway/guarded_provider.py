"""A provider behind its circuit breaker: while the service is down, nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.db import Error as DatabaseProblem
from django.utils import timezone

from aiassist.gateway.around import ProviderAround
from aiassist.gateway.types import NotAsked, ProviderAnswer, ProviderError, VisionProvider, VisionRequest
from observability.breakers import BreakerOpen, Permit, ask_permit, record_call

log = structlog.get_logger(__name__)


class GuardedProvider(ProviderAround):
    """Another provider, asked only while the breaker of its name lets calls through."""

    def __init__(self, inner: VisionProvider, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(inner)
        self._monotonic = monotonic

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Answer as the inner provider does, or raise NotAsked at once.

        Only an outage counts against the service. Its refusals and bad answers do not: they may be the claim's doing.
        """
        permit = self._permit()
        began = self._monotonic()
        try:
            answer = self._inner.ask(request, timeout_seconds=timeout_seconds)
        except ProviderError as error:
            self._record(permit, failed=error.outage, seconds=self._monotonic() - began)
            raise
        self._record(permit, failed=False, seconds=self._monotonic() - began)
        return answer

    def _permit(self) -> Permit | None:
        try:
            return ask_permit(name=self.name, now=timezone.now())
        except BreakerOpen as closed:
            raise NotAsked(closed.code) from closed
        except DatabaseProblem as problem:
            # Without the database the breaker cannot tell; the call is bounded by its own deadline.
            log.warning("breaker_unreadable", breaker=self.name, error=type(problem).__name__)
            return None

    def _record(self, permit: Permit | None, *, failed: bool, seconds: float) -> None:
        if permit is None:
            return
        try:
            record_call(permit=permit, failed=failed, seconds=seconds, now=timezone.now())
        except DatabaseProblem as problem:
            log.warning("breaker_not_written", breaker=self.name, error=type(problem).__name__)
