"""A provider that is not asked the same question about the same claim twice: a repeated job does not pay again."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from aiassist.gateway.around import ProviderAround
from aiassist.gateway.schema import valid_answer
from aiassist.gateway.types import REMEMBERED_ANSWER, ProviderAnswer, VisionProvider, VisionRequest
from aiassist.models import StoredAnswer
from observability.breakers import open_breakers
from observability.fallbacks import note_fallback
from tenancy.scope import every_tenant

log = structlog.get_logger(__name__)


class RememberingProvider(ProviderAround):
    """Another provider, whose valid answers about the claim `reference` are kept for a repeat of the same job."""

    def __init__(self, inner: VisionProvider, *, reference: str) -> None:
        super().__init__(inner)
        self._reference = reference

    def ask(self, request: VisionRequest, *, timeout_seconds: float) -> ProviderAnswer:
        """Return the stored answer to this very question, else ask and keep what is valid."""
        known = self._recall(request)
        if known is not None:
            return known
        answer = valid_answer(self._inner.ask(request, timeout_seconds=timeout_seconds), request.answer_schema)
        try:
            self._keep(request, answer, now=timezone.now())
        except DatabaseProblem as problem:
            log.warning("answer_not_stored", provider=self.name, error=type(problem).__name__)
        return answer

    def _recall(self, request: VisionRequest) -> ProviderAnswer | None:
        try:
            row = self._same_question(request).filter(expires_at__gt=timezone.now()).first()
            if row is not None and self.name in open_breakers():
                note_fallback(REMEMBERED_ANSWER)
        except DatabaseProblem as problem:
            log.warning("answer_not_recalled", provider=self.name, error=type(problem).__name__)
            return None
        return ProviderAnswer(content=row.content, model=row.served_model, cached=True) if row else None

    @transaction.atomic(durable=True)
    def _keep(self, request: VisionRequest, answer: ProviderAnswer, *, now: datetime) -> None:
        self._same_question(request).delete()  # an expired one would keep its place
        row = StoredAnswer(
            **self._key(request),
            served_model=answer.model,
            content=answer.content,
            expires_at=now + timedelta(seconds=settings.AI_ANSWER_TTL),
        )
        StoredAnswer.objects.bulk_create([row], ignore_conflicts=True)  # another worker may have been first

    def _same_question(self, request: VisionRequest) -> QuerySet[StoredAnswer]:
        return StoredAnswer.objects.filter(**self._key(request))

    def _key(self, request: VisionRequest) -> dict[str, str]:
        return {
            "reference": self._reference,
            "provider": self.name,
            "model": self.model,
            "prompt_version": request.prompt_version,
            "input_hash": input_hash(request),
        }


def input_hash(request: VisionRequest) -> str:
    """Return the SHA-256 of all that reaches the model."""
    words = {
        "instructions": request.instructions,
        "measured": request.measured,
        "claimant_text": request.claimant_text,
        "schema": request.answer_schema,
        "max_output_tokens": request.max_output_tokens,
        "pictures": [[picture.at_seconds, hashlib.sha256(picture.jpeg).hexdigest()] for picture in request.pictures],
    }
    return hashlib.sha256(json.dumps(words, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def forget_answers_about(reference: str) -> int:
    """Delete every answer about one claim inside the caller's transaction; return how many."""
    deleted, _ = StoredAnswer.objects.filter(reference=reference).delete()
    return int(deleted)


def forget_expired_answers(*, now: datetime) -> int:
    """Delete answers whose time is over; return how many (a timer calls this)."""
    with every_tenant("expired answers of models"):
        deleted, _ = StoredAnswer.objects.filter(expires_at__lt=now).delete()
        return int(deleted)
