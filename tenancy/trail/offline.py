#!/usr/bin/env python3
"""Verifies an exported audit trail, a proof of one event, or two checkpoints, with this file and Python 3.9 alone.

    python offline.py trail EXPORT.jsonl [--checkpoint KEPT.json] [--public-key BASE64]
    python offline.py proof PROOF.json [--public-key BASE64]
    python offline.py checkpoints OLDER.json NEWER.json [--public-key BASE64]

It shares no code with the product: trees are built from their definition, signatures are checked by RFC 8032's own
arithmetic. Exit 0: proven. 1: not, and the first bad thing is named. 2: the files cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Point = tuple[int, int, int, int]
CheckpointFacts = tuple[str, int, bytes]

GENESIS = "0" * 64
NAMES = {1: "claimwright-audit-1", 2: "claimwright-audit-2"}
HASHED = (
    *("id", "tenant", "event", "actor_type", "actor_id", "actor_name", "object_type", "object_id", "at", "before"),
    *("after", "reason", "request_id"),
)


class Bad(Exception):
    """Something that is not as it was sealed: `kind` is one word, as `verify_audit` uses it."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind.upper()}: {detail}")
        self.kind = kind


# --- Ed25519, verification only (RFC 8032, 5.1) --------------------------------------------------------------------
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add_points(a: Point, b: Point) -> Point:
    low = (a[1] - a[0]) * (b[1] - b[0]) % P
    high = (a[1] + a[0]) * (b[1] + b[0]) % P
    cross, twice = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = high - low, twice - cross, twice + cross, high + low
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add_points(total, point)
        point = add_points(point, point)
        number >>= 1
    return total


def same_point(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(raw: bytes) -> Point | None:
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


_base = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
assert _base is not None
BASE: Point = _base


def is_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = point_of(public), point_of(signature[:32])
    number = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or number >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    return same_point(times(number, BASE), add_points(commitment, times(challenge, key)))


# --- Hashes and the tree (RFC 6962, 2.1) ---------------------------------------------------------------------------
def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_and_link(event: dict[str, Any], seq: int, previous: str) -> tuple[bytes, str]:
    """Return the event's leaf, and the chain's hash of it."""
    body = {name: event[name] for name in HASHED}
    body["format"] = NAMES[event["format"]]
    if event["format"] == 1:
        link = hashlib.sha256(canonical({**body, "seq": seq, "previous_hash": previous})).digest()
        return sha(b"\0", link), link.hex()
    leaf = sha(b"\0", canonical(body))
    return leaf, sha(b"\2", bytes.fromhex(previous), leaf).hex()


class Tree:
    """Complete subtrees from left to right, each as (leaves, root); joined only when a root is asked for."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, bytes]] = []
        self.size = 0

    def add(self, leaf: bytes) -> None:
        self.parts.append((1, leaf))
        self.size += 1
        while len(self.parts) > 1 and self.parts[-1][0] == self.parts[-2][0]:
            (leaves, right), (_, left) = self.parts.pop(), self.parts.pop()
            self.parts.append((2 * leaves, sha(b"\1", left, right)))

    def root(self) -> bytes:
        if not self.parts:
            return sha()
        root = self.parts[-1][1]
        for _, left in self.parts[-2::-1]:
            root = sha(b"\1", left, root)
        return root


def root_by_path(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes | None:
    """Return the root that an inclusion path leads to: from the top down, as the path was made (RFC 6962, 2.1.1)."""
    if size == 1:
        return leaf if not path else None
    if not path:
        return None
    half = 1
    while half * 2 < size:
        half *= 2
    left = index < half
    below = root_by_path(index if left else index - half, half if left else size - half, leaf, path[:-1])
    if below is None:
        return None
    return sha(b"\1", below, path[-1]) if left else sha(b"\1", path[-1], below)


def roots_by_path(
    old: int, size: int, old_root: bytes, path: list[bytes], *, whole: bool = True
) -> tuple[bytes, bytes] | None:
    """Return the (old, new) roots that a consistency path leads to (RFC 6962, 2.1.2), None when it cannot."""
    if old == size:
        if whole:
            return (old_root, old_root) if not path else None
        return (path[0], path[0]) if len(path) == 1 else None
    if not path:
        return None
    half = 1
    while half * 2 < size:
        half *= 2
    if old <= half:
        below = roots_by_path(old, half, old_root, path[:-1], whole=whole)
        return below and (below[0], sha(b"\1", below[1], path[-1]))
    below = roots_by_path(old - half, size - half, old_root, path[:-1], whole=False)
    return below and (sha(b"\1", path[-1], below[0]), sha(b"\1", path[-1], below[1]))


# --- Seals and checkpoints -----------------------------------------------------------------------------------------
def note_of(tenant: str, seal: dict[str, Any]) -> str:
    root = base64.b64encode(bytes.fromhex(seal["root"])).decode()
    return (
        f"claimwright/audit/{tenant}\n{seal['size']}\n{root}\nseal {seal['number']}\n"
        f"previous {seal['previous_hash']}\nsealed {seal['sealed_at']}\n"
    )


def check_signature(note: str, holder: dict[str, Any], key: bytes | None, what: str) -> None:
    """Raise Bad unless the key that the auditor holds made the signature; without one nothing is claimed."""
    if key is None:
        return
    if not holder["signature"]:
        raise Bad("bad_signature", f"{what} is not signed.")
    if not is_signature(key, note.encode(), base64.b64decode(holder["signature"])):
        raise Bad("bad_signature", f"{what} is not signed by the given key.")


def read_checkpoint(data: dict[str, Any]) -> CheckpointFacts:
    """Return (tenant, size, root) as the signed note tells them, not as the fields beside it do."""
    origin, size, root = data["note"].split("\n")[:3]
    return origin.split("/")[-1], int(size), base64.b64decode(root)


class Trail:
    """One pass over an export."""

    def __init__(self, kept: CheckpointFacts | None, key: bytes | None) -> None:
        self.kept, self.key, self.tree = kept, key, Tree()
        self.tenant, self.previous = "", GENESIS
        self.seal: dict[str, Any] | None = None
        self.seal_hash, self.sealed_size = GENESIS, 0

    def event(self, line: dict[str, Any], rest: Iterator[str]) -> None:
        place = self.tree.size + 1
        if line["seq"] > place:
            later = any(json.loads(text).get("seq") == place for text in rest)
            raise Bad("reordered" if later else "missing", f"event {place} is not at its place.")
        if line["seq"] < place:
            raise Bad("inserted", f"event {line['seq']} (id {line['id']}) stands where {place} is expected.")
        if line["tenant"] != self.tenant:
            raise Bad("inserted", f"event {place} (id {line['id']}) is another tenant's.")
        leaf, link = leaf_and_link(line, place, line["previous_hash"])
        if link != line["hash"]:
            raise Bad("altered", f"event {place} (id {line['id']}) is not what was hashed.")
        if line["previous_hash"] != self.previous:
            raise Bad("altered", f"event {place} (id {line['id']}) does not follow the one before it.")
        self.tree.add(leaf)
        self.previous = link
        if self.kept and place == self.kept[1] and self.tree.root() != self.kept[2]:
            raise Bad("altered", f"the first {place} events are not the ones that the kept checkpoint is of.")

    def seal_line(self, line: dict[str, Any], rest: Iterator[str]) -> None:
        number = self.seal["number"] + 1 if self.seal else 1
        if line["number"] != number:
            raise Bad("missing" if line["number"] > number else "inserted", f"seal {number} is expected.")
        if line["previous_hash"] != self.seal_hash:
            raise Bad("altered", f"seal {number} does not follow the one before it.")
        note = note_of(self.tenant, line)
        if sha(b"\3", f"{note}{line['key_id']}\n{line['signature']}\n".encode()).hex() != line["hash"]:
            raise Bad("altered", f"seal {number} is not what was hashed.")
        if line["size"] > self.tree.size:
            later = any(json.loads(text).get("kind") == "event" for text in rest)
            detail = f"seal {number} knows {line['size']} events, only {self.tree.size} stand before it."
            raise Bad("missing" if later else "truncated", detail)
        if line["size"] < self.tree.size or self.tree.root().hex() != line["root"]:
            raise Bad("altered", f"the events {self.sealed_size + 1} to {line['size']} are not those of seal {number}.")
        self.seal, self.seal_hash, self.sealed_size = line, line["hash"], line["size"]

    def end(self, line: dict[str, Any]) -> None:
        if line["events"] != self.tree.size:
            raise Bad("truncated", f"the file says {line['events']} events, {self.tree.size} are there.")
        if self.tree.size > self.sealed_size:
            raise Bad("inserted", f"no seal knows event {self.sealed_size + 1}.")
        if self.kept and self.kept[1] > self.tree.size:
            raise Bad("truncated", f"the kept checkpoint knows {self.kept[1]} events, {self.tree.size} are there.")
        if self.seal is None:
            return
        # The last seal's signed note names the hash of the seal before it, and so all seals and their signatures.
        check_signature(note_of(self.tenant, self.seal), self.seal, self.key, f"seal {self.seal['number']}")
        told = read_checkpoint(line["checkpoint"])
        if told[1] > self.tree.size:
            raise Bad("truncated", f"the checkpoint at the end knows {told[1]} events, {self.tree.size} are there.")
        if told != (self.tenant, self.sealed_size, self.tree.root()):
            raise Bad("altered", "the checkpoint at the end of the file is of another trail.")


def verify_trail(lines: Iterable[str], kept: dict[str, Any] | None = None, key: bytes | None = None) -> tuple[int, int]:
    """Return how many events and seals there are; raises Bad for the first thing that is wrong."""
    if kept is not None:
        check_signature(kept["note"], kept, key, "the kept checkpoint")
    trail = Trail(read_checkpoint(kept) if kept else None, key)
    rest, kind = iter(lines), ""
    for number, text in enumerate(rest, start=1):
        if kind == "end":
            raise Bad("inserted", "something stands after the end.")
        try:
            kind = read_line(trail, json.loads(text), rest)
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise Bad("altered", f"line {number} is not what was written there.") from problem
    if kind != "end":
        raise Bad("truncated", f"the file breaks off after event {trail.tree.size}.")
    return trail.tree.size, trail.seal["number"] if trail.seal else 0


def read_line(trail: Trail, line: dict[str, Any], rest: Iterator[str]) -> str:
    """Check one line against all before it; return its kind."""
    kind = str(line["kind"])
    if kind == "trail":
        trail.tenant = line["tenant"]["id"]
        if trail.kept and trail.kept[0] != trail.tenant:
            raise Bad("altered", "the kept checkpoint is of another tenant.")
    elif kind == "event":
        trail.event(line, rest)
    elif kind == "seal":
        trail.seal_line(line, rest)
    else:
        trail.end(line)
    return kind


def verify_proof(proof: dict[str, Any], key: bytes | None = None) -> int:
    """Return the size of the tree that the event is proven to stand in."""
    checkpoint = proof["checkpoint"]
    check_signature(checkpoint["note"], checkpoint, key, "the checkpoint")
    tenant, size, root = read_checkpoint(checkpoint)
    if proof["event"]["tenant"] != tenant:
        raise Bad("altered", "event and checkpoint are of different tenants.")
    leaf, _ = leaf_and_link(proof["event"], proof["seq"], proof["previous_hash"])
    if not 0 < proof["seq"] <= size:
        raise Bad("altered", "the event's place is outside the tree.")
    path = [bytes.fromhex(step) for step in proof["path"]]
    if root_by_path(proof["seq"] - 1, size, leaf, path) != root:
        raise Bad("altered", f"event {proof['event']['id']} does not stand at place {proof['seq']} of this tree.")
    return size


def verify_checkpoints(older: dict[str, Any], newer: dict[str, Any], key: bytes | None = None) -> tuple[int, int]:
    """Return the two sizes; raises Bad unless the newer tree begins with the older one."""
    for data, name in ((older, "the older checkpoint"), (newer, "the newer checkpoint")):
        check_signature(data["note"], data, key, name)
    (tenant, old_size, old_root), (other, size, root) = read_checkpoint(older), read_checkpoint(newer)
    if tenant != other:
        raise Bad("altered", "the checkpoints are of different tenants.")
    if size < old_size:
        raise Bad("truncated", f"the newer checkpoint knows {size} events, the older one {old_size}.")
    proof = newer.get("consistency") or {"since": size, "path": []}
    if proof["since"] != old_size:
        raise Bad("missing", f"the newer checkpoint holds no proof since size {old_size}.")
    if roots_by_path(old_size, size, old_root, [bytes.fromhex(step) for step in proof["path"]]) != (old_root, root):
        raise Bad("altered", f"the newer trail does not begin with the older one's {old_size} events.")
    return old_size, size


def read_json(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def run(options: argparse.Namespace) -> str:
    key = base64.b64decode(options.public_key, validate=True) if options.public_key else None
    signed = "signature checked" if key else "signatures NOT checked: no --public-key"
    if options.what == "trail":
        kept = read_json(options.checkpoint) if options.checkpoint else None
        with Path(options.file).open(encoding="utf-8") as lines:
            events, seals = verify_trail(lines, kept, key)
        return f"ok: {events} events under {seals} seals, {signed}" + (", checkpoint kept" if kept else "")
    if options.what == "proof":
        return f"ok: the event stands in the tree of {verify_proof(read_json(options.file), key)}, {signed}"
    sizes = verify_checkpoints(read_json(options.file), read_json(options.newer), key)
    return f"ok: the {sizes[0]} events of the older one are the first of the newer one's {sizes[1]}, {signed}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="what", required=True)
    for what in ("trail", "proof", "checkpoints"):
        kind = kinds.add_parser(what)
        kind.add_argument("file")
        if what == "checkpoints":
            kind.add_argument("newer")
        if what == "trail":
            kind.add_argument("--checkpoint", help="an earlier one that was kept elsewhere")
        kind.add_argument("--public-key", help="32 bytes in base64, from whom you trust, not from the file")
    options = parser.parse_args()
    try:
        sys.stdout.write(run(options) + "\n")
    except Bad as problem:
        sys.stdout.write(f"{problem}\n")
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as problem:
        sys.stderr.write(f"cannot be read: {type(problem).__name__}: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
