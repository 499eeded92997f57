"""Proves or disproves a tenant's audit trail: contents, chain, tree, seals, signatures, head, guard, and what the
other floors hold against it.

What a trail cannot show by itself: its owner, with the signing key, writing all of it anew; and without that key,
cutting its end. Against both stands a checkpoint that was kept elsewhere (docs/audit.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, F, Max, OuterRef

from tenancy.audit_guard import missing_triggers
from tenancy.models import AuditEvent, AuditHead, AuditPlace, AuditSeal, AuditUnsealed, Tenant
from tenancy.scope import current_tenant_id, tenant_scope
from tenancy.trail.checkpoints import Checkpoint
from tenancy.trail.format import GENESIS_HASH, leaf_hash
from tenancy.trail.problems import AuditProblem, ProblemKind
from tenancy.trail.seals import head_problem, latest_seal, seal_problem, seal_sizes
from tenancy.trail.signing import is_signed_by, trusted_keys
from tenancy.trail.walk import Walk

__all__ = ["AuditProblem", "AuditReport", "ProblemKind", "register_audit_cross_check", "verify_audit"]


@dataclass(frozen=True)
class AuditReport:
    """The state of one tenant's trail. `head_hash` stands for all of it: kept elsewhere, it proves a later rewrite."""

    tenant: str
    events: int
    head_seq: int
    head_hash: str
    problem: AuditProblem | None
    missing_triggers: list[str] = field(default_factory=list)
    awaiting_seal: int = 0
    seals: int = 0
    signed_by: str = ""

    @property
    def ok(self) -> bool:
        return self.problem is None and not self.missing_triggers


CrossCheck = Callable[[], Iterable[AuditProblem]]
_cross_checks: dict[str, CrossCheck] = {}


def register_audit_cross_check(name: str, check: CrossCheck) -> None:
    """Add a check of other rows against the trail (each decision has its event, and the reverse).

    It runs in the tenant's scope and yields what is missing or has no counterpart. Called once, from the owner's
    `AppConfig.ready`.
    """
    _cross_checks[name] = check


def verify_audit(
    tenant: Tenant, *, checkpoint: Checkpoint | None = None, public_keys: Iterable[str] = ()
) -> AuditReport:
    """Read the tenant's whole trail and return its state; writes nothing. Safe while events are being written.

    `checkpoint` is an earlier one that was kept elsewhere; `public_keys` count beside the platform's.
    """
    keys = trusted_keys(public_keys)
    with tenant_scope(tenant.id):
        broken = head_problem()
        last = latest_seal()
        head_seq, head_hash = AuditHead.objects.values_list("seq", "hash").first() or (0, GENESIS_HASH)
        events, problem = _checked(last, checkpoint, keys)
        return AuditReport(
            tenant=tenant.slug,
            events=events,
            head_seq=head_seq,
            head_hash=head_hash,
            problem=problem or broken or _outside_problem() or _cross_problem(),
            missing_triggers=missing_triggers(),
            awaiting_seal=AuditUnsealed.objects.filter(tenant_id=tenant.id).count(),
            seals=last.number if last else 0,
            signed_by=last.key_id if last and last.key_id in keys else "",
        )


def _checked(
    last: AuditSeal | None, checkpoint: Checkpoint | None, keys: Mapping[str, str]
) -> tuple[int, AuditProblem | None]:
    """Check what is sealed; return how many events were read in order, and the first problem."""
    if (
        checkpoint is not None
        and checkpoint.signed.signature
        and not is_signed_by(checkpoint.note, checkpoint.signed, keys)
    ):
        return 0, AuditProblem(
            ProblemKind.BAD_SIGNATURE, "The checkpoint's signature is not of a key that counts here."
        )
    if last is None:
        return 0, _too_short(0, checkpoint)
    bad_seal = seal_problem(last, keys)
    sealed = {} if bad_seal else seal_sizes(last)
    roots = {size: bytes.fromhex(seal.root) for size, seal in sealed.items()}
    kept = checkpoint if checkpoint is not None and checkpoint.size <= last.size else None
    walk = Walk(last.size, roots, kept=(kept.size, kept.root) if kept else None)
    problem = walk.first_problem()
    if problem is None and walk.bad_root_at is not None:
        problem = _bad_root(walk.bad_root_at, sealed)
    if problem is None and walk.kept_differs and kept is not None:
        detail = f"The first {kept.size} events are not the ones that the checkpoint is of: they were written anew."
        problem = AuditProblem(ProblemKind.ALTERED, detail, seal=kept.seal)
    return walk.edge.size, problem or bad_seal or _head_differs(walk, last) or _too_short(last.size, checkpoint)


def _head_differs(walk: Walk, last: AuditSeal) -> AuditProblem | None:
    at_seal = AuditHead.objects.filter(seal_number=last.number).values_list("seq", "hash").first()
    if at_seal in (None, (walk.edge.size, walk.last_hash)):
        return None
    detail = "The last event is not the one that the head names."
    return AuditProblem(ProblemKind.ALTERED, detail, last.size)


def _bad_root(size: int, sealed: Mapping[int, AuditSeal]) -> AuditProblem:
    first = max((other for other in sealed if other < size), default=0) + 1
    number = sealed[size].number
    detail = f"The events {first} to {size} are not the ones that seal {number} was made of."
    return AuditProblem(ProblemKind.ALTERED, detail, first, seal=number)


def _too_short(size: int, checkpoint: Checkpoint | None) -> AuditProblem | None:
    if checkpoint is None or checkpoint.size <= size:
        return None
    detail = f"The trail ends at {size}, the checkpoint knows {checkpoint.size} events."
    return AuditProblem(ProblemKind.TRUNCATED, detail, size + 1, seal=checkpoint.seal)


def _outside_problem() -> AuditProblem | None:
    """Look at what no seal holds. Each question is one statement, so that a seal made meanwhile is seen whole."""
    newest = AuditSeal.objects.values("tenant_id").annotate(size=Max("size")).values("size")
    beyond = AuditPlace.objects.order_by("seq").annotate(sealed=newest)
    extra = beyond.filter(seq__gt=F("sealed")).first() or beyond.filter(sealed=None).first()
    if extra is not None:
        return AuditProblem(ProblemKind.INSERTED, "No seal knows this event.", extra.seq, str(extra.event_id))
    return _stray_problem() or _awaiting_problem()


def _stray_problem() -> AuditProblem | None:
    if _events_are_accounted_for():
        return None
    placed = Exists(AuditPlace.objects.filter(event_id=OuterRef("id")))
    awaited = Exists(AuditUnsealed.objects.filter(event_id=OuterRef("id"), tenant_id=current_tenant_id()))
    stray = AuditEvent.objects.filter(~placed, ~awaited).first()
    if stray is None:
        return None
    return AuditProblem(ProblemKind.INSERTED, "The event has no place and awaits none.", event_id=str(stray.id))


def _events_are_accounted_for() -> bool:
    """Whether there are as many events as places and marks: counting takes a small part of looking for each.

    Counted in this order, a write meanwhile can only make more events than expected, never hide one.
    """
    places = AuditPlace.objects.count()
    there = Exists(AuditEvent.objects.filter(id=OuterRef("event_id")))
    placed = Exists(AuditPlace.objects.filter(event_id=OuterRef("event_id")))
    marks = AuditUnsealed.objects.filter(there, ~placed, tenant_id=current_tenant_id()).count()
    return places + marks == AuditEvent.objects.count()


def _awaiting_problem() -> AuditProblem | None:
    marks = AuditUnsealed.objects.filter(tenant_id=current_tenant_id())
    lost = marks.filter(~Exists(AuditEvent.objects.filter(id=OuterRef("event_id")))).first()
    if lost is not None:
        detail = "The event was taken away before its seal."
        return AuditProblem(ProblemKind.MISSING, detail, event_id=str(lost.event_id))
    known = dict(marks.values_list("event_id", "leaf_hash"))
    for event in AuditEvent.objects.filter(id__in=marks.values("event_id")).iterator():
        if leaf_hash(event.content).hex() != event.leaf_hash or event.leaf_hash != known.get(event.id, event.leaf_hash):
            detail = "The event, which awaits its seal, is not what was hashed."
            return AuditProblem(ProblemKind.ALTERED, detail, event_id=str(event.id))
    return None


def _cross_problem() -> AuditProblem | None:
    return next((problem for check in _cross_checks.values() for problem in check()), None)
