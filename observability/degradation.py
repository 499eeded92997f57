"""The service level: one table from what is in trouble to what still works. Pure; `service_level.py` reads the facts.

A row says what people can still do. Upload and human review never depend on more than the database and the file
storage, so nothing but those two stops them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import TextChoices

QUEUE_SLOW_SECONDS = 60.0
QUEUE_STUCK_SECONDS = 300.0


class ServiceLevel(TextChoices):
    """From best to worst. `MINIMAL`: upload and review by people, little or no help by the machine."""

    FULL = "FULL", "Full"
    DEGRADED = "DEGRADED", "Degraded"
    MINIMAL = "MINIMAL", "Minimal"
    UNAVAILABLE = "UNAVAILABLE", "Unavailable"


class Part(TextChoices):
    """What a circuit breaker stands before. `OTHER` parts (channels of alerts) say nothing about the service."""

    MODEL = "MODEL", "Model providers"
    BROKER = "BROKER", "Message broker"
    CACHE = "CACHE", "Cache"
    STORAGE = "STORAGE", "File storage"
    RETRIEVAL = "RETRIEVAL", "Document search"
    OTHER = "OTHER", "Other"


class Trouble(TextChoices):
    DATABASE_AWAY = "database_away", "The database does not answer"
    STORAGE_AWAY = "storage_away", "The file storage does not take or give files"
    MODELS_AWAY = "models_away", "No model provider answers"
    QUEUE_STUCK = "queue_stuck", "Assessments do not arrive"
    BROKER_AWAY = "broker_away", "The message broker does not answer"
    RETRIEVAL_AWAY = "retrieval_away", "Documents cannot be searched"
    SOME_MODELS_AWAY = "some_models_away", "One model provider does not answer"
    QUEUE_SLOW = "queue_slow", "Assessments take longer than usual"
    CACHE_AWAY = "cache_away", "The cache does not answer"


@dataclass(frozen=True)
class Rule:
    """A row of the table: with this trouble the service is at best at this level; `works` tells people what goes on."""

    trouble: Trouble
    level: ServiceLevel
    works: str


_FULL, _DEGRADED, _MINIMAL, _UNAVAILABLE = ServiceLevel
# Worst first: the first row that holds gives the level and the headline.
TABLE: tuple[Rule, ...] = (
    Rule(
        Trouble.DATABASE_AWAY, _UNAVAILABLE, "Nothing can be read or saved. What was accepted is kept; come back soon."
    ),
    Rule(
        Trouble.STORAGE_AWAY, _MINIMAL, "New videos are refused for now and some cannot be shown. Decisions are saved."
    ),
    Rule(
        Trouble.MODELS_AWAY,
        _MINIMAL,
        "New claims are assessed by measurements and rules alone. Upload and review work.",
    ),
    Rule(Trouble.QUEUE_STUCK, _MINIMAL, "Uploads are kept and wait for their assessment. Review works."),
    Rule(Trouble.BROKER_AWAY, _DEGRADED, "New claims wait longer for their assessment. Upload and review work."),
    Rule(Trouble.RETRIEVAL_AWAY, _DEGRADED, "Questions about documents are not answered. Upload and review work."),
    Rule(Trouble.SOME_MODELS_AWAY, _DEGRADED, "Another provider answers in its place. Upload and review work."),
    Rule(Trouble.QUEUE_SLOW, _DEGRADED, "New claims wait longer for their assessment. Upload and review work."),
    Rule(Trouble.CACHE_AWAY, _DEGRADED, "Pages may be slower. Everything works."),
)
_OF_PART = {
    Part.BROKER: Trouble.BROKER_AWAY,
    Part.CACHE: Trouble.CACHE_AWAY,
    Part.STORAGE: Trouble.STORAGE_AWAY,
    Part.RETRIEVAL: Trouble.RETRIEVAL_AWAY,
}


@dataclass(frozen=True)
class PartFacts:
    """Breakers of a part that are set up, and how many of them let no call through."""

    in_use: int
    away: int


@dataclass(frozen=True)
class Facts:
    """What the level is made from; `queue_seconds` is how long the oldest due job has waited."""

    database_away: bool = False
    parts: Mapping[Part, PartFacts] = field(default_factory=dict)
    queue_seconds: float = 0.0


def troubles_of(facts: Facts) -> frozenset[Trouble]:
    """Return what is in trouble; without the database nothing else can be told."""
    if facts.database_away:
        return frozenset({Trouble.DATABASE_AWAY})
    found = {trouble for part, trouble in _OF_PART.items() if part in facts.parts and facts.parts[part].away}
    models = facts.parts.get(Part.MODEL, PartFacts(0, 0))
    if models.away:
        found.add(Trouble.MODELS_AWAY if models.away >= models.in_use else Trouble.SOME_MODELS_AWAY)
    if facts.queue_seconds >= QUEUE_SLOW_SECONDS:
        found.add(Trouble.QUEUE_STUCK if facts.queue_seconds >= QUEUE_STUCK_SECONDS else Trouble.QUEUE_SLOW)
    return frozenset(found)


def rules_for(troubles: Iterable[Trouble]) -> list[Rule]:
    """Return the rows that hold, the worst first."""
    present = set(troubles)
    return [rule for rule in TABLE if rule.trouble in present]


def level_of(troubles: Iterable[Trouble]) -> ServiceLevel:
    """Return the worst level that the troubles allow."""
    found = rules_for(troubles)
    return found[0].level if found else ServiceLevel.FULL
