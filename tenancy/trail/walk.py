"""One pass over a tenant's events in their order: contents, chain, and the tree's root at every seal.

Rows come as plain tuples, a few thousand at a time: model instances would cost more than all the hashing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenancy.models import AuditEvent, AuditNode, AuditPlace
from tenancy.trail.format import CHAINED, GENESIS_HASH, EventContent, chained_hash, chained_leaf, leaf_hash, link_hash
from tenancy.trail.problems import AuditProblem, ProblemKind
from tenancy.trail.tree import Edge

# Rows read at a time: memory stays the same for any length of the trail.
_CHUNK = 5_000
_CONTENT = (
    *("event_id", "event__tenant_id", "event__event", "event__actor_type", "event__actor_id", "event__actor_name"),
    *("event__object_type", "event__object_id", "event__at", "event__before", "event__after", "event__reason"),
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
        edge, roots, add = self.edge, self._roots, self.edge.add
        kept_at, kept_root = self._kept or (0, b"")
        for row in rows_up_to(self._size):
            seq, previous, stored, _, leaf_text = row[:_CONTENT_AT]
            if seq != edge.size + 1 or previous != self.last_hash:
                return self._diagnosis(row)
            if self.bad_root_at is not None:
                return None
            leaf, own_leaf, chain = _hashes(row)
            if chain != stored or own_leaf != leaf_text:
                return _about(row, ProblemKind.ALTERED, "The event's content is not what was hashed.")
            add(leaf)
            self.last, self.last_hash = row, stored
            if seq in roots and edge.root() != roots[seq]:
                self.bad_root_at = seq  # the next event may tell what happened: one put in is found by it
                continue
            if seq == kept_at:
                self.kept_differs = edge.root() != kept_root
            if edge.completed:
                problem = self._node_problem()
                if problem is not None:
                    return problem
        if edge.size < self._size and self.bad_root_at is None:
            detail = f"The trail ends at {edge.size}, its seals know {self._size} events."
            return AuditProblem(ProblemKind.TRUNCATED, detail, edge.size + 1)
        return None

    def _node_problem(self) -> AuditProblem | None:
        """Compare the stored subtree roots with the computed ones: proofs are made from them."""
        for node in self.edge.completed:
            stored = AuditNode.objects.filter(level=node.level, position=node.position).values_list("hash", flat=True)
            if list(stored) != [node.hash.hex()]:
                detail = f"The stored root of the {2**node.level} events up to this one is not theirs."
                return AuditProblem(ProblemKind.ALTERED, detail, self.edge.size)
        self.edge.completed.clear()
        return None

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


def rows_up_to(size: int) -> Iterator[Row]:
    """Yield the places up to `size` with their events, in order."""
    places = AuditPlace.objects.order_by("seq", "id").values_list(*_COLUMNS)
    seq = 0
    while True:
        chunk = list(places.filter(seq__gt=seq, seq__lte=size)[:_CHUNK])
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        seq = chunk[-1][0]


def _hashes(row: Row) -> tuple[bytes, str, str]:
    """Return the event's leaf, what its column must say of it, and its hash in the chain."""
    content = EventContent(*row[_CONTENT_AT:])
    if row[3] == CHAINED:
        chain = chained_hash(content, seq=row[0], previous_hash=row[1])
        return chained_leaf(chain), "", chain
    leaf = leaf_hash(content)
    return leaf, leaf.hex(), link_hash(row[1], leaf)


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
