"""Seals: the only writer of places, nodes, seals and the head of a tenant's trail.

PostgreSQL: an event is committed without any lock, with a mark that it awaits its seal; a few times a second the
worker gives the committed ones their places, in one transaction a tenant. SQLite, where writers stand in line anyway:
the same function, in the transaction of the event.

Marks are picked by the transaction that wrote them, never by id: ids are drawn before the commit, so a watermark over
them would pass by whatever commits late. `xid < pg_snapshot_xmin` leaves out all that could still be followed by an
earlier transaction, which keeps a tenant's places in the order of transactions. And because each mark is taken away
with its seal there is no watermark to lose: one that waited for long is sealed whatever other transactions are open
(a long one elsewhere on the server, a restore into another server with numbers of its own).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import BigIntegerField, Exists, Func, OuterRef, Q, QuerySet

from observability import metrics
from tenancy.models import AuditEvent, AuditHead, AuditNode, AuditPlace, AuditSeal, AuditUnsealed, Tenant
from tenancy.scope import current_tenant_id, tenant_scope
from tenancy.trail.format import GENESIS_HASH, link_hash, seal_hash, seal_note
from tenancy.trail.rows import insert_awaiting, insert_places
from tenancy.trail.signing import own_key_id, sign_note
from tenancy.trail.tree import Edge

SEAL_SECONDS = 0.2
# Order by transaction is worth waiting for this long, not longer: unsealed events could be rewritten.
_PATIENCE = timedelta(seconds=5)
# One commit seals at most so many events (some 30 ms a thousand); the next follows at once.
_BATCH = 2_000


def write_event(event: AuditEvent) -> None:
    """Write the event of the open transaction; it is sealed on SQLite at once, else by the next turn of the sealer."""
    if connection.vendor == "sqlite":
        event.save()
        _append(_locked_head(current_tenant_id()), [(event.id, event.leaf_hash)], now=event.at)
    else:
        insert_awaiting(event)


def seal_events(*, now: datetime) -> int:
    """Seal what every tenant's transactions have committed; return how many events. Run by the worker."""
    if connection.vendor == "sqlite":
        return 0
    sealed = 0
    for tenant_id in list(_settled(now).values_list("tenant_id", flat=True).distinct()):
        with tenant_scope(tenant_id):
            count = seal_tenant(now=now)
            sealed += count
            # Only a full batch: what is written meanwhile is the next turn's, with a time of its own.
            while count == _BATCH:
                count = seal_tenant(now=now)
                sealed += count
    return sealed


@transaction.atomic
def seal_tenant(*, now: datetime) -> int:
    """Seal up to one batch of the scope's tenant; return how many events. Two sealers take turns at the head's lock.

    Writes AuditPlace, AuditNode, AuditSeal, AuditHead; deletes the marks. A mark without its event stays, and
    `verify_audit` names it.
    """
    if connection.vendor == "sqlite":
        return 0
    tenant_id = current_tenant_id()
    head = _locked_head(tenant_id)
    there = Exists(AuditEvent.objects.filter(id=OuterRef("event_id")))
    rows = _settled(now).filter(there, tenant_id=tenant_id).order_by("xid", "event_id")
    marks = list(rows.values_list("event_id", "leaf_hash", "written_at")[:_BATCH])
    if not marks:
        return 0
    _append(head, [(event_id, leaf) for event_id, leaf, _ in marks], now=now)
    waited = max(0.0, (now - min(written_at for *_, written_at in marks)).total_seconds())
    metrics.AUDIT_SEAL_SECONDS.observe(waited)
    return len(marks)


@transaction.atomic
def countersign_tenant(*, now: datetime) -> bool:
    """Add an empty seal where the last one is not signed by the platform's key (a new key, or a first one)."""
    key_id = own_key_id()
    head = _locked_head(current_tenant_id())
    last = AuditSeal.objects.filter(number=head.seal_number).values_list("key_id", flat=True).first()
    if not key_id or last in (None, key_id):
        return False
    _append(head, [], now=now)
    return True


def countersign_seals(*, now: datetime) -> int:
    """Do so for every tenant; return how many seals were added. Run by the worker, at its start and then hourly."""
    signed = 0
    for tenant_id in list(Tenant.objects.values_list("id", flat=True)):
        with tenant_scope(tenant_id):
            signed += countersign_tenant(now=now)
    return signed


def _settled(now: datetime) -> QuerySet[AuditUnsealed]:
    """Marks of transactions older than any that is still open, and those that waited for long."""
    xmin = _number("pg_snapshot_xmin(pg_current_snapshot())")
    return AuditUnsealed.objects.filter(Q(xid__lt=xmin) | Q(written_at__lt=now - _PATIENCE))


def _number(expression: str) -> Func:
    return Func(template=f"{expression}::text::bigint", output_field=BigIntegerField())


def _append(head: AuditHead, leaves: Sequence[tuple[UUID, str]], *, now: datetime) -> None:
    tenant_id = head.tenant_id
    edge, previous, hashes = Edge.read(head.seq, head.edge), head.hash, []
    for _, leaf in leaves:
        raw = bytes.fromhex(leaf)
        edge.add(raw)
        previous = link_hash(previous, raw)
        hashes.append(previous)
    _place(head, [event_id for event_id, _ in leaves], hashes)
    nodes = [
        AuditNode(tenant_id=tenant_id, level=n.level, position=n.position, hash=n.hash.hex()) for n in edge.completed
    ]
    if nodes:
        AuditNode.objects.insert_all(nodes)
    seal = _sealed(head, edge, now=now)
    seal.save()
    AuditHead.objects.filter(id=head.id).update(
        seq=edge.size, hash=previous, seal_number=seal.number, seal_hash=seal.hash, edge=edge.text()
    )


def _place(head: AuditHead, event_ids: Sequence[UUID], hashes: Sequence[str]) -> None:
    """Write the places after the head's; a place has its event's id."""
    if connection.vendor != "sqlite":
        insert_places(event_ids, hashes, size=head.seq, previous_hash=head.hash)
        return
    places = zip(event_ids, [head.hash, *hashes], hashes, strict=False)
    AuditPlace.objects.insert_all(
        AuditPlace(id=event_id, tenant_id=head.tenant_id, event_id=event_id, seq=seq, previous_hash=before, hash=link)
        for seq, (event_id, before, link) in enumerate(places, head.seq + 1)
    )


def _sealed(head: AuditHead, edge: Edge, *, now: datetime) -> AuditSeal:
    number, root = head.seal_number + 1, edge.root()
    note = seal_note(
        tenant_id=current_tenant_id(),
        size=edge.size,
        root=root,
        number=number,
        previous_hash=head.seal_hash,
        sealed_at=now,
    )
    signed = sign_note(note)
    return AuditSeal(
        tenant_id=head.tenant_id,
        number=number,
        size=edge.size,
        root=root.hex(),
        previous_hash=head.seal_hash,
        sealed_at=now,
        key_id=signed.key_id,
        signature=signed.signature,
        hash=seal_hash(note, key_id=signed.key_id, signature=signed.signature),
    )


def _locked_head(tenant_id: UUID) -> AuditHead:
    head: AuditHead | None = AuditHead.objects.select_for_update().filter(tenant_id=tenant_id).first()
    if head is None:
        # Two first seals at once: the unique constraint lets one insert through, the other waits and locks it.
        first = AuditHead(tenant_id=tenant_id, seq=0, hash=GENESIS_HASH, seal_hash=GENESIS_HASH)
        AuditHead.objects.bulk_create([first], ignore_conflicts=True)
        head = AuditHead.objects.select_for_update().get(tenant_id=tenant_id)
    return head
