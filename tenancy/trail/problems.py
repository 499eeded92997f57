"""What can be wrong with a trail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    BAD_SIGNATURE = "bad_signature"


@dataclass(frozen=True)
class AuditProblem:
    """The first thing that is wrong: `seq` is the place in the trail, `event_id` the row there, where there is one.

    `seal` is the number of the seal, where one is wrong or shows that an event is.
    """

    kind: ProblemKind
    detail: str
    seq: int | None = None
    event_id: str | None = None
    seal: int | None = None
