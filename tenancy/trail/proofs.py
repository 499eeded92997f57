"""Proofs out of the stored tree: that an event stands under a sealed root, that a tree begins with an earlier one.

A proof reads at most two pages of 256 hashes a level, however long the trail is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from tenancy.errors import NotSealedYet, TrailDamaged, UnknownSize
from tenancy.models import AuditEvent, AuditNode, AuditPlace, AuditSeal, Tenant
from tenancy.trail.checkpoints import checkpoint_data
from tenancy.trail.export import event_data
from tenancy.trail.format import CHAINED, chained_leaf
from tenancy.trail.seals import is_sound, latest_seal
from tenancy.trail.signing import trusted_keys
from tenancy.trail.tree import (
    TILE_LEVELS,
    TILE_WIDTH,
    consistency_path,
    inclusion_path,
    is_consistent,
    node_hash,
    root_from_inclusion,
    split_of,
)
from tenancy.trail.walk import is_own_content

_TILE_MASK = TILE_WIDTH - 1


class EventState(StrEnum):
    VERIFIED = "VERIFIED"
    AWAITING_SEAL = "AWAITING_SEAL"
    PROBLEM = "PROBLEM"


class StoredTree:
    """The tree of the tenant in scope, read page by page as its hashes are asked for."""

    def __init__(self) -> None:
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def subtree(self, first: int, end: int) -> bytes:
        """Return the root of the leaves from `first` up to, not including, `end`. Raises TrailDamaged."""
        count = end - first
        if count & (count - 1) == 0 and first % count == 0:
            return self._complete(count.bit_length() - 1, first // count)
        middle = first + split_of(count)
        return node_hash(self.subtree(first, middle), self.subtree(middle, end))

    def leaf(self, index: int) -> bytes:
        return self._complete(0, index)

    def _complete(self, level: int, position: int) -> bytes:
        if level % TILE_LEVELS:
            return node_hash(self._complete(level - 1, 2 * position), self._complete(level - 1, 2 * position + 1))
        tile = self._tile(level, position // TILE_WIDTH)
        at = position & _TILE_MASK
        if at >= len(tile):
            raise TrailDamaged
        return tile[at]

    def _tile(self, level: int, number: int) -> list[bytes]:
        if (level, number) not in self._tiles:
            first = number * TILE_WIDTH
            self._tiles[level, number] = _leaves(first) if level == 0 else _nodes(level, first)
        return self._tiles[level, number]


def _leaves(first: int) -> list[bytes]:
    places = AuditPlace.objects.filter(seq__gt=first, seq__lte=first + TILE_WIDTH).order_by("seq")
    found: list[bytes] = []
    for seq, chain, kind, leaf in places.values_list("seq", "hash", "event__format", "event__leaf_hash"):
        if seq != first + len(found) + 1:
            break  # what comes after a gap has no place here
        found.append(_hash_or_damaged(leaf if kind != CHAINED else chain, chained=kind == CHAINED))
    return found


def _nodes(level: int, first: int) -> list[bytes]:
    nodes = AuditNode.objects.filter(level=level, position__gte=first, position__lt=first + TILE_WIDTH)
    hashes = nodes.order_by("position").values_list("position", "hash")
    return [_hash_or_damaged(text) for at, (position, text) in enumerate(hashes) if position == first + at]


def _hash_or_damaged(text: str, *, chained: bool = False) -> bytes:
    try:
        return chained_leaf(text) if chained else bytes.fromhex(text)
    except ValueError as error:
        raise TrailDamaged from error


def with_places(events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    """Load each event's place along, and as `seal_number` the first seal that covers it."""
    seals = AuditSeal.objects.filter(size__gte=OuterRef("place__seq")).order_by("size", "number")
    return events.select_related("place").annotate(seal_number=Subquery(seals.values("number")[:1]))


@dataclass(frozen=True)
class SealedBy:
    """An event's state, and the first seal that covers it."""

    state: EventState
    seal: int | None = None


def states_of(events: Sequence[AuditEvent]) -> list[SealedBy]:
    """Return the state of each event: content, link, and inclusion under the newest seal's signed root.

    What this cannot see, `verify_audit` does: other events that were taken away or put in.
    """
    last, tree = latest_seal(), StoredTree()
    sound = last is None or is_sound(last, trusted_keys())
    return [_state_of(event, last, tree) if sound else SealedBy(EventState.PROBLEM) for event in events]


def _state_of(event: AuditEvent, last: AuditSeal | None, tree: StoredTree) -> SealedBy:
    place = event.place_or_none
    if not is_own_content(event, place):
        return SealedBy(EventState.PROBLEM)
    if place is None:
        return SealedBy(EventState.AWAITING_SEAL)
    if last is None or place.seq > last.size or not _is_included(place, last, tree):
        return SealedBy(EventState.PROBLEM)
    return SealedBy(EventState.VERIFIED, getattr(event, "seal_number", None))


def _is_included(place: AuditPlace, last: AuditSeal, tree: StoredTree) -> bool:
    index = place.seq - 1
    try:
        path = inclusion_path(index, last.size, tree.subtree)
        return root_from_inclusion(index, last.size, tree.leaf(index), path) == bytes.fromhex(last.root)
    except TrailDamaged:
        return False


def proof_of(tenant: Tenant, event: AuditEvent) -> dict[str, Any]:
    """Return the event with its path to the newest seal's root, and that seal as a checkpoint.

    Raises NotSealedYet, or TrailDamaged when the stored hashes do not lead there.
    """
    place, last, tree = event.place_or_none, latest_seal(), StoredTree()
    if place is None or last is None:
        raise NotSealedYet
    if not is_own_content(event, place) or not _is_included(place, last, tree):
        raise TrailDamaged
    return {
        "event": event_data(event.content, kind=event.format),
        "seq": place.seq,
        "previous_hash": place.previous_hash,
        "hash": place.hash,
        "leaf_hash": tree.leaf(place.seq - 1).hex(),
        "tree_size": last.size,
        "path": [step.hex() for step in inclusion_path(place.seq - 1, last.size, tree.subtree)],
        "root": last.root,
        "checkpoint": checkpoint_data(tenant, last),
    }


def checkpoint_with_proof(tenant: Tenant, seal: AuditSeal, *, since: int = 0) -> dict[str, Any]:
    """Return a seal as a checkpoint, with the proof that its tree begins with the tree of `since` events.

    Raises UnknownSize for a size that no tree before it had, TrailDamaged.
    """
    data = checkpoint_data(tenant, seal)
    if not since:
        return data
    if not 0 < since <= seal.size:
        raise UnknownSize
    tree = StoredTree()
    path = consistency_path(since, seal.size, tree.subtree)
    if not is_consistent(since, tree.subtree(0, since), seal.size, bytes.fromhex(seal.root), path):
        raise TrailDamaged
    return data | {"consistency": {"since": since, "path": [step.hex() for step in path]}}
