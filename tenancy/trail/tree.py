"""The Merkle tree of RFC 6962: growing, roots, inclusion and consistency proofs. Pure; hashes are 32 bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
# Roots of complete subtrees of 256, 65,536, … leaves are stored: any proof reads a few hundred hashes, not all leaves.
TILE_LEVELS = 8
TILE_WIDTH = 1 << TILE_LEVELS

# (first, end) → root of those leaves.
Subtree = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class CompleteNode:
    """The root of a complete subtree of 2**level leaves; `position` counts its kind from the left, from 0."""

    level: int
    position: int
    hash: bytes


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Edge:
    """The right edge of a growing tree: the roots of its complete subtrees, the largest first."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)
    completed: list[CompleteNode] = field(default_factory=list)

    @classmethod
    def read(cls, size: int, text: str) -> Edge:
        raw = bytes.fromhex(text)
        return cls(size, [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)])

    def text(self) -> str:
        return b"".join(self.peaks).hex()

    def add(self, leaf: bytes) -> None:
        """Append one leaf; stored nodes that it completes are added to `completed`, for the caller to take."""
        peaks, rest, level, sha = self.peaks, self.size, 0, hashlib.sha256
        self.size += 1
        while rest & 1:
            leaf = sha(b"\x01" + peaks.pop() + leaf).digest()
            rest >>= 1
            level += 1
            if not level % TILE_LEVELS:
                self.completed.append(CompleteNode(level, (self.size >> level) - 1, leaf))
        peaks.append(leaf)

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    edge = Edge()
    for leaf in leaves:
        edge.add(leaf)
    return edge.root()


def split_of(size: int) -> int:
    """Return the largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the sibling hashes from the leaf up (RFC 6962, 2.1.1); `index` counts from 0."""
    first, end, path = 0, size, []
    while end - first > 1:
        middle = first + split_of(end - first)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(first, middle))
            first = middle
    return path[::-1]


def consistency_path(old_size: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the hashes that show that the first `old_size` leaves are still the same ones (RFC 6962, 2.1.2)."""
    first, end, whole, path = 0, size, True, []
    while end != old_size:
        middle = first + split_of(end - first)
        if old_size <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(first, middle))
            first, whole = middle, False
    if not whole:
        path.append(subtree(first, end))
    return path[::-1]


def root_from_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """Return the root that the path leads to (RFC 9162, 2.1.3.2); None when it does not fit the place."""
    place, last, root = index, size - 1, leaf
    if not 0 <= index < size:
        return None
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the larger tree begins with the smaller one (RFC 9162, 2.1.4.2)."""
    if old_size == size:
        return not path and old_root == root
    if not 0 < old_size < size:
        return False
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    seen_old = seen_new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            seen_old, seen_new = node_hash(sibling, seen_old), node_hash(sibling, seen_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            seen_new = node_hash(seen_new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and (seen_old, seen_new) == (old_root, root)
