"""One pass over a tenant's events in their order: contents, chain, and the tree's root at every seal.

Rows come as plain tuples: model instances would cost more than all the hashing. PostgreSQL sends text, which is what is
hashed: ids and times read into objects took 12.7 µs of processor time an event, not 4.8. And it sends them while they
are hashed: reading some thousands first and hashing them then took almost the sum of both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Func, QuerySet, TextField
from django.db.models.functions import Cast

from tenancy.models import AuditEvent, AuditNode, AuditPlace
from tenancy.trail.format import (
    CHAINED,
    GENESIS_HASH,
    EventContent,
    chained_hash,
    chained_leaf,
    leaf_hash,
    link_hash,
    next_link,
)
from tenancy.trail.problems import AuditProblem, ProblemKind
from tenancy.trail.tree import CompleteNode, Edge

# Rows of one statement, between which subtree roots are compared, and rows in memory at a time: the same for any length
# of the trail.
_CHUNK = 10_000
_IN_MEMORY = 1_000
_CONTENT = (
    *("own_id", "own_tenant", "event__event", "event__actor_type", "event__actor_id", "event__actor_name"),
    *("event__object_type", "event__object_id", "own_at", "event__before", "event__after", "event__reason"),
    "event__request_id",
)
_COLUMNS = ("seq", "previous_hash", "hash", "event__format", "event__leaf_hash", *_CONTENT)
_CONTENT_AT = len(_COLUMNS) - len(_CONTENT)

Row = tuple[Any, ...]


class Walk:
    """A pass up to `size` events; `roots` are the sealed ones by size, `kept` is the one of a kept checkpoint."""

    def __init__(self, size: int, roots: Mapping[int, bytes], *, kept: tuple[int, bytes] | None = None) -> None:
        self.edge = Edge()
        self.bad_root_at: int | None = None
        self.kept_differs = False
        self._size, self._roots, self._kept = size, roots, kept
        self.last: Row | None = None
        self.last_hash = GENESIS_HASH

    def first_problem(self) -> AuditProblem | None:
        """Read on until something is wrong; `bad_root_at` is then the size at which a root is not the sealed one,
        and `kept_differs` tells that the checkpoint's is another."""
        for chunk in chunks_up_to(self._size):
            odd = self._first_odd(chunk)
            deque(chunk, maxlen=0)  # a statement given up half-way would spoil an open transaction
            problem = self._node_problem()
            if odd is not None:
                return problem or self._judged(odd)
            if problem is not None:
                return problem
        return self._end_problem()

    def _first_odd(self, rows: Iterator[Row]) -> Row | None:
        """Add the rows; return the first that does not continue what there is, without adding it."""
        edge, roots, add = self.edge, self._roots, self.edge.add
        kept_at, kept_root = self._kept or (0, b"")
        link = bytes.fromhex(self.last_hash)
        for row in rows:
            seq, previous, stored = row[:3]
            if seq != edge.size + 1 or previous != self.last_hash or self.bad_root_at is not None:
                return row
            leaf, own_leaf, link = _hashes(row, link)
            if link.hex() != stored or own_leaf != row[4]:
                return row
            add(leaf)
            self.last, self.last_hash = row, stored
            if seq in roots and edge.root() != roots[seq]:
                self.bad_root_at = seq  # the next event may tell what happened: one put in is found by it
            elif seq == kept_at:
                self.kept_differs = edge.root() != kept_root
        return None

    def _end_problem(self) -> AuditProblem | None:
        if self.edge.size == self._size or self.bad_root_at is not None:
            return None
        detail = f"The trail ends at {self.edge.size}, its seals know {self._size} events."
        return AuditProblem(ProblemKind.TRUNCATED, detail, self.edge.size + 1)

    def _node_problem(self) -> AuditProblem | None:
        """Compare the stored subtree roots with those computed since the last time: proofs are made from them."""
        computed, self.edge.completed = self.edge.completed, []
        if not computed:
            return None
        stored = _stored_nodes(computed)
        for node in computed:
            end = (node.position + 1) << node.level
            if stored.get((node.level, node.position)) != [node.hash.hex()] and end != self.bad_root_at:
                detail = f"The stored root of the {2**node.level} events up to this one is not theirs."
                return AuditProblem(ProblemKind.ALTERED, detail, end)
        return None

    def _judged(self, row: Row) -> AuditProblem | None:
        if row[0] != self.edge.size + 1 or row[1] != self.last_hash:
            return self._diagnosis(row)
        if self.bad_root_at is not None:
            return None  # the event after the bad root is sound itself
        return _about(row, ProblemKind.ALTERED, "The event's content is not what was hashed.")

    def _diagnosis(self, row: Row) -> AuditProblem:
        """Name what happened at the first place where something does not fit."""
        place, seq, previous = self.edge.size + 1, row[0], row[1]
        if seq > place:
            return AuditProblem(ProblemKind.MISSING, f"Event {place} is not there.", place)
        if seq < place:
            return _about(row, ProblemKind.INSERTED, f"There is more than one event {seq}.")
        if not _fits_itself(row):
            return _about(row, ProblemKind.ALTERED, "The event's content is not what was hashed.")
        if self.last is not None and previous == self.last[1]:
            return _about(self.last, ProblemKind.INSERTED, "An event was put between two that follow each other.")
        if AuditPlace.objects.filter(previous_hash=self.last_hash).exclude(event_id=row[_CONTENT_AT]).exists():
            return _about(row, ProblemKind.REORDERED, "Another event follows the one before.")
        if AuditPlace.objects.count() < self._size:
            detail = f"Event {place} is not there; the later ones were moved up."
            return AuditProblem(ProblemKind.MISSING, detail, place)
        detail = "The event was replaced: the next one continues another."
        return _about(self.last or row, ProblemKind.ALTERED, detail)


def _stored_nodes(computed: Sequence[CompleteNode]) -> dict[tuple[int, int], list[str]]:
    """Return what is stored for the nodes, one query for each level among them."""
    found: dict[tuple[int, int], list[str]] = {}
    for level in {node.level for node in computed}:
        positions = [node.position for node in computed if node.level == level]
        nodes = AuditNode.objects.filter(level=level, position__range=(min(positions), max(positions)))
        for position, stored in nodes.values_list("position", "hash"):
            found.setdefault((level, position), []).append(stored)
    return found


def rows_up_to(size: int) -> Iterator[Row]:
    """Yield the places up to `size` with their events, in order."""
    for chunk in chunks_up_to(size):
        yield from list(chunk)  # whoever reads may ask the database something else between two rows


def chunks_up_to(size: int) -> Iterator[Iterator[Row]]:
    """Yield the same in parts. One is read to its end before anything else is asked of the database."""
    places = AuditPlace.objects.order_by("seq", "id").annotate(**_as_hashed()).values_list(*_COLUMNS)
    done = 0
    while done < size:
        # Bounded on both sides: with a LIMIT alone the planner may sort all that is left for each chunk.
        end = min(done + _CHUNK, size)
        following = AuditPlace.objects.filter(seq__gt=done, seq__lte=size).order_by("seq")
        first = following.values_list("seq", flat=True).first()
        if first is None:
            return
        if first <= end:
            yield _streamed(places.filter(seq__gt=done, seq__lte=end))
        done = end if first <= end else first - 1


def _streamed(rows: QuerySet[AuditPlace, Row]) -> Iterator[Row]:
    """Yield the rows while the server still sends; a statement that Django has made, sent by the driver itself."""
    if connection.vendor != "postgresql":
        yield from rows.iterator(_IN_MEMORY)
        return
    statement, values = rows.query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        # In the order of the index, so that the first row comes at once: a join that ends in a sort sends none before.
        cursor.execute("SET LOCAL enable_sort = off")
        yield from cursor.cursor.stream(statement, values, size=_IN_MEMORY)
        cursor.execute("SET LOCAL enable_sort = DEFAULT")


def _as_hashed() -> dict[str, F | Func]:
    """Return an event's id, tenant and time; on PostgreSQL as the text that is hashed (`time_text`)."""
    if connection.vendor != "postgresql":
        return {"own_id": F("event_id"), "own_tenant": F("event__tenant_id"), "own_at": F("event__at")}
    time = "COALESCE(to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"'), '')"
    return {
        "own_id": Cast("event_id", TextField()),
        "own_tenant": Cast("event__tenant_id", TextField()),
        "own_at": Func(F("event__at"), template=time, output_field=TextField()),
    }


def _hashes(row: Row, previous: bytes) -> tuple[bytes, str, bytes]:
    """Return the event's leaf, what its column must say of it, and its hash in the chain after the previous one."""
    if row[3] == CHAINED:
        chain = chained_hash(content_of(row), seq=row[0], previous_hash=row[1])
        return chained_leaf(chain), "", bytes.fromhex(chain)
    leaf = leaf_hash(row[_CONTENT_AT:])
    return leaf, leaf.hex(), next_link(previous, leaf)


def content_of(row: Row) -> EventContent:
    return EventContent(*row[_CONTENT_AT:])


def _fits_itself(row: Row) -> bool:
    """Whether the row's hash is made from its content and the hash that it names before it, at whichever place."""
    seq, previous, stored, kind = row[:4]
    content = content_of(row)
    try:
        if kind != CHAINED:
            return bool(link_hash(previous, leaf_hash(content)) == stored)
    except ValueError:  # the hash before is none
        return False
    origin = AuditPlace.objects.filter(hash=previous).values_list("seq", flat=True).first() or 0
    places = {seq - 1, seq, seq + 1, origin + 1}
    return any(chained_hash(content, seq=place, previous_hash=previous) == stored for place in places)


def is_own_content(event: AuditEvent, place: AuditPlace | None) -> bool:
    """Whether the event's columns are the ones that were hashed, and its link in the chain is made from them."""
    if event.format == CHAINED:
        if place is None:
            return False
        chain = chained_hash(event.content, seq=place.seq, previous_hash=place.previous_hash)
        return bool(chain == place.hash and not event.leaf_hash)
    leaf = leaf_hash(event.content)
    linked = place is None or link_hash(place.previous_hash, leaf) == place.hash
    return leaf.hex() == event.leaf_hash and linked


def _about(row: Row, kind: ProblemKind, detail: str) -> AuditProblem:
    return AuditProblem(kind, detail, row[0], str(row[_CONTENT_AT]))
