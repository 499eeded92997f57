"""Proves or disproves a tenant's audit trail: hashes, chain, gaps, head, and what the other floors hold against it.

What a chain cannot show: an owner of the database who rewrites every event from some point on, and the head with it.
That needs a copy of the head kept elsewhere (`GET /audit/verify` and the command print it for that purpose).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Subquery

from tenancy.audit import GENESIS_HASH, event_hash
from tenancy.audit_guard import missing_triggers
from tenancy.models import AuditEvent, AuditHead, Tenant
from tenancy.scope import tenant_scope

# Rows read at a time: memory stays the same for any length of the trail.
_CHUNK = 2_000


class ProblemKind(StrEnum):
    ALTERED = "altered"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"


@dataclass(frozen=True)
class AuditProblem:
    """The first thing that is wrong: `seq` is the place in the chain, `event_id` the row there, where there is one."""

    kind: ProblemKind
    detail: str
    seq: int | None = None
    event_id: str | None = None


@dataclass(frozen=True)
class AuditReport:
    """The state of one tenant's trail. `head_hash` stands for all of it: kept elsewhere, it proves a later rewrite."""

    tenant: str
    events: int
    head_seq: int
    head_hash: str
    problem: AuditProblem | None
    missing_triggers: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.problem is None


CrossCheck = Callable[[], Iterable[AuditProblem]]
_cross_checks: dict[str, CrossCheck] = {}


def register_audit_cross_check(name: str, check: CrossCheck) -> None:
    """Add a check of other rows against the trail (each decision has its event, and the reverse).

    It runs in the tenant's scope and yields what is missing or has no counterpart. Called once, from the owner's
    `AppConfig.ready`.
    """
    _cross_checks[name] = check


def verify_audit(tenant: Tenant) -> AuditReport:
    """Read the tenant's whole trail and return its state; writes nothing. Safe while events are being written."""
    with tenant_scope(tenant.id):
        head = AuditHead.objects.first()
        head_seq, head_hash = (head.seq, head.hash) if head else (0, GENESIS_HASH)
        walk = _Walk()
        problem = walk.first_problem(head_seq) or _end_problem(walk, head_seq, head_hash) or _cross_problem()
    return AuditReport(tenant.slug, walk.events, head_seq, head_hash, problem, missing_triggers())


class _Walk:
    """One pass over the events up to a place in the chain, two of them in memory at a time."""

    def __init__(self) -> None:
        self.events = 0
        self.last: AuditEvent | None = None

    def first_problem(self, head_seq: int) -> AuditProblem | None:
        for event in _events_up_to(head_seq):
            problem = self._problem_with(event)
            if problem is not None:
                return problem
            self.events += 1
            self.last = event
        return None

    def _problem_with(self, event: AuditEvent) -> AuditProblem | None:
        place = self.last.seq + 1 if self.last else 1
        before = self.last.hash if self.last else GENESIS_HASH
        if event.seq > place:
            return AuditProblem(ProblemKind.MISSING, f"Event {place} is not there.", place)
        if event.seq < place:
            return _about(event, ProblemKind.INSERTED, f"There is more than one event {event.seq}.")
        if event_hash(event) != event.hash:
            return self._moved_or_altered(event, before)
        if event.previous_hash != before:
            # The event is as it was written, so what stands before it is not what stood there then.
            detail = "The event before was replaced: this one continues another."
            return _about(self.last or event, ProblemKind.ALTERED, detail)
        return None

    def _moved_or_altered(self, event: AuditEvent, before: str) -> AuditProblem:
        """Name what happened to an event whose hash is wrong at its place: it may be right at another."""
        origin = _origin_of(event)
        if origin is None:
            return _about(event, ProblemKind.ALTERED, "The event's content is not what was hashed.")
        if self.last is not None and event.previous_hash == self.last.previous_hash:
            return _about(self.last, ProblemKind.INSERTED, "An event was put between two that follow each other.")
        if AuditEvent.objects.filter(previous_hash=before).exclude(id=event.id).exists():
            return _about(event, ProblemKind.REORDERED, f"The event was written as number {origin}.")
        detail = f"Event {event.seq} is not there; the later ones were moved up."
        return AuditProblem(ProblemKind.MISSING, detail, event.seq)


def _events_up_to(head_seq: int) -> Iterator[AuditEvent]:
    seq = 0
    while True:
        chunk = list(AuditEvent.objects.filter(seq__gt=seq, seq__lte=head_seq).order_by("seq", "id")[:_CHUNK])
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        seq = chunk[-1].seq


def _origin_of(event: AuditEvent) -> int | None:
    """Return the number under which the event's own hash is right; None when its content was changed."""
    predecessor = AuditEvent.objects.filter(hash=event.previous_hash).values_list("seq", flat=True).first()
    guesses = [event.seq + 1, event.seq - 1, 1, *([] if predecessor is None else [predecessor + 1])]
    return next((seq for seq in guesses if event_hash(event, seq=seq) == event.hash), None)


def _end_problem(walk: _Walk, head_seq: int, head_hash: str) -> AuditProblem | None:
    """Compare the walk with the head: a cut tail, a replaced last event, events that the head does not know."""
    last_seq = walk.last.seq if walk.last else 0
    if last_seq < head_seq:
        detail = f"The trail ends at {last_seq}, its head says {head_seq}."
        return AuditProblem(ProblemKind.TRUNCATED, detail, last_seq + 1)
    if walk.last is not None and walk.last.hash != head_hash:
        return _about(walk.last, ProblemKind.ALTERED, "The last event is not the one that the head names.")
    # One statement, so that an event and its head written meanwhile are seen together.
    beyond = AuditEvent.objects.order_by("seq")
    if AuditHead.objects.exists():
        beyond = beyond.filter(seq__gt=Subquery(AuditHead.objects.values("seq")[:1]))
    extra: AuditEvent | None = beyond.first()
    return None if extra is None else _about(extra, ProblemKind.INSERTED, "The head does not know this event.")


def _cross_problem() -> AuditProblem | None:
    return next((problem for check in _cross_checks.values() for problem in check()), None)


def _about(event: AuditEvent, kind: ProblemKind, detail: str) -> AuditProblem:
    return AuditProblem(kind, detail, event.seq, str(event.id))
