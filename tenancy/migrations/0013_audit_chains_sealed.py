"""Every chain of today keeps its events, numbers and hashes, and gets a first seal over all of them.

Nothing is judged here: where an event is missing an empty leaf stands in the tree, and what the head did not know gets
no place, so that `verify_audit` says the same before and after.
"""

import hashlib

from django.db import migrations
from django.utils import timezone

from tenancy.trail.format import GENESIS_HASH, EventContent, chained_hash, chained_leaf, seal_hash, seal_note
from tenancy.trail.signing import sign_note
from tenancy.trail.tree import Edge

EMPTY_LEAF = hashlib.sha256(b"\x00").digest()
CHUNK = 5_000
CONTENT = (
    *("id", "tenant_id", "event", "actor_type", "actor_id", "actor_name", "object_type", "object_id", "at"),
    *("before", "after", "reason", "request_id"),
)
PLACES = """
INSERT INTO tenancy_auditplace (id, tenant_id, event_id, seq, previous_hash, hash)
SELECT e.id, e.tenant_id, e.id, e.seq, e.previous_hash, e.hash
FROM tenancy_auditevent e JOIN tenancy_audithead h ON h.tenant_id = e.tenant_id AND e.seq <= h.seq
"""
BACK = """
UPDATE tenancy_auditevent SET
seq = (SELECT p.seq FROM tenancy_auditplace p WHERE p.event_id = tenancy_auditevent.id),
previous_hash = (SELECT p.previous_hash FROM tenancy_auditplace p WHERE p.event_id = tenancy_auditevent.id),
hash = (SELECT p.hash FROM tenancy_auditplace p WHERE p.event_id = tenancy_auditevent.id)
WHERE format = 1 AND EXISTS (SELECT 1 FROM tenancy_auditplace p WHERE p.event_id = tenancy_auditevent.id)
"""


def seal_chains(apps, schema_editor):
    now = timezone.now()
    schema_editor.execute(PLACES)
    for head in apps.get_model("tenancy", "AuditHead").objects.filter(seq__gt=0):
        edge = edge_of(apps, head)
        add_nodes(apps, head, edge)
        add_seal(apps, head, edge, now)


def edge_of(apps, head):
    edge = Edge()
    rows = apps.get_model("tenancy", "AuditPlace").objects.filter(tenant_id=head.tenant_id).order_by("seq")
    for seq, chain_hash in rows.values_list("seq", "hash").iterator(chunk_size=CHUNK):
        fill(edge, seq - 1)
        try:
            edge.add(chained_leaf(chain_hash))
        except ValueError:  # no hash any more
            edge.add(EMPTY_LEAF)
    fill(edge, head.seq)
    return edge


def fill(edge, size):
    while edge.size < size:
        edge.add(EMPTY_LEAF)


def add_nodes(apps, head, edge):
    model = apps.get_model("tenancy", "AuditNode")
    nodes = (
        model(tenant_id=head.tenant_id, level=n.level, position=n.position, hash=n.hash.hex()) for n in edge.completed
    )
    model.objects.bulk_create(nodes, batch_size=CHUNK)


def add_seal(apps, head, edge, now):
    facts = {"size": edge.size, "number": 1, "previous_hash": GENESIS_HASH, "sealed_at": now}
    note = seal_note(tenant_id=head.tenant_id, root=edge.root(), **facts)
    signed = sign_note(note)
    seal = apps.get_model("tenancy", "AuditSeal").objects.create(
        tenant_id=head.tenant_id,
        root=edge.root().hex(),
        key_id=signed.key_id,
        signature=signed.signature,
        hash=seal_hash(note, key_id=signed.key_id, signature=signed.signature),
        **facts,
    )
    head.seal_number, head.seal_hash, head.edge = 1, seal.hash, edge.text()
    head.save()


def chain_again(apps, schema_editor):
    """Bring the old form back: what was chained as it was; what came later is hashed into the chain anew.

    Its seals, signatures and proofs are lost: export it and keep a checkpoint before (docs/audit.md).
    """
    schema_editor.execute(BACK)
    events = apps.get_model("tenancy", "AuditEvent").objects
    for tenant_id in events.filter(format=2).values_list("tenant_id", flat=True).distinct():
        rows = events.filter(tenant_id=tenant_id)
        last = rows.filter(format=1).exclude(seq=None).order_by("-seq").first()
        end = (last.seq, last.hash) if last else (0, GENESIS_HASH)
        for later in (rows.filter(place__isnull=False).order_by("place__seq"), rows.order_by("id")):
            end = chain(later.filter(format=2), *end)
        apps.get_model("tenancy", "AuditHead").objects.update_or_create(
            tenant_id=tenant_id, defaults={"seq": end[0], "hash": end[1]}
        )
    for name in ("AuditPlace", "AuditSeal", "AuditNode", "AuditUnsealed"):
        apps.get_model("tenancy", name).objects.all().delete()


def chain(events, seq, previous):
    while chunk := list(events[:CHUNK]):
        for event in chunk:
            seq += 1
            content = EventContent(*(getattr(event, name) for name in CONTENT))
            event.format, event.seq, event.previous_hash = 1, seq, previous
            event.hash = previous = chained_hash(content, seq=seq, previous_hash=previous)
        events.model.objects.bulk_update(chunk, ["format", "seq", "previous_hash", "hash"], batch_size=200)
    return seq, previous


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0012_audit_seals")]
    operations = [migrations.RunPython(seal_chains, chain_again)]
