"""The tree against RFC 6962's own example, and its proofs against their definition."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenancy.trail import offline
from tenancy.trail.format import EventContent, canonical_json, leaf_text
from tenancy.trail.tree import (
    EMPTY_ROOT,
    Edge,
    consistency_path,
    inclusion_path,
    is_consistent,
    root_from_inclusion,
    root_of,
)

# The leaves and roots of Certificate Transparency's reference implementation (merkletree/merkle_tree_test.cc).
ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
LEAVES = [hashlib.sha256(b"\x00" + bytes.fromhex(entry)).digest() for entry in ENTRIES]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATHS = {  # (index, size) → inclusion proof, of the same test
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
}
CONSISTENCY = {  # (old size, size) → proof, of the same test
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
MANY = [hashlib.sha256(bytes([number])).digest() for number in range(70)]


def subtree(first: int, end: int) -> bytes:
    return root_of(MANY[first:end])


def test_roots_are_the_reference_ones() -> None:
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()
    assert tuple(root_of(LEAVES[:size]).hex() for size in range(1, 9)) == ROOTS


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_inclusion_proofs_are_the_reference_ones(index: int, size: int) -> None:
    path = inclusion_path(index, size, lambda first, end: root_of(LEAVES[first:end]))
    assert tuple(step.hex() for step in path) == PATHS[index, size]


@pytest.mark.parametrize(("old", "size"), CONSISTENCY)
def test_consistency_proofs_are_the_reference_ones(old: int, size: int) -> None:
    path = consistency_path(old, size, lambda first, end: root_of(LEAVES[first:end]))
    assert tuple(step.hex() for step in path) == CONSISTENCY[old, size]


@settings(max_examples=150)
@given(st.data())
def test_an_inclusion_proof_proves_its_place_and_no_other(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    path, root = inclusion_path(index, size, subtree), subtree(0, size)
    assert root_from_inclusion(index, size, MANY[index], path) == root
    assert offline.root_by_path(index, size, MANY[index], path) == root
    if other != index:
        assert root_from_inclusion(other, size, MANY[index], path) != root
        assert offline.root_by_path(other, size, MANY[index], path) != root
    for wrong in ([*path, MANY[0]], path[:-1] if path else [MANY[0]]):
        assert root_from_inclusion(index, size, MANY[index], wrong) != root
        assert offline.root_by_path(index, size, MANY[index], wrong) != root


@settings(max_examples=150)
@given(st.data())
def test_a_consistency_proof_proves_its_trees_and_no_others(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    old = data.draw(st.integers(1, size))
    path, roots = consistency_path(old, size, subtree), (subtree(0, old), subtree(0, size))
    assert is_consistent(old, roots[0], size, roots[1], path)
    assert offline.roots_by_path(old, size, roots[0], path) == roots
    forged = root_of([*MANY[: old - 1], MANY[-1]])
    if old < size:
        assert not is_consistent(old, forged, size, roots[1], path)
        assert offline.roots_by_path(old, size, forged, path) != (forged, roots[1])
        assert not is_consistent(old, roots[0], size, roots[1], path[:-1])


def test_an_edge_is_read_back_as_it_was() -> None:
    edge = Edge()
    for leaf in MANY:
        edge.add(leaf)
    again = Edge.read(edge.size, edge.text())
    assert (again.peaks, again.root()) == (edge.peaks, subtree(0, 70))


def test_stored_nodes_are_the_roots_of_their_leaves() -> None:
    edge, leaves = Edge(), [number.to_bytes(32, "big") for number in range(600)]
    for leaf in leaves:
        edge.add(leaf)
    assert [(node.level, node.position) for node in edge.completed] == [(8, 0), (8, 1)]
    assert edge.completed[1].hash == root_of(leaves[256:512])


@given(st.lists(st.text(), min_size=10, max_size=10))
def test_the_quick_text_of_a_leaf_is_canonical_json(texts: list[str]) -> None:
    at = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    one = UUID(int=1)
    content = EventContent._make([one, one, *texts[:6], at, *texts[6:]])
    named = content._asdict()
    body = {**named, "tenant": one, "format": "claimwright-audit-2"}
    del body["tenant_id"]
    assert leaf_text(content) == canonical_json({**body, "at": at.isoformat(timespec="microseconds")})
    assert json.loads(leaf_text(content))["reason"] == texts[8]


# RFC 8032, 7.1: secret keys are left out, they are not needed to verify.
@pytest.mark.parametrize(
    ("public", "message", "signature"),
    [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
            "be24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
            "2aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
            "d28dc027beceea1ec40a",
        ),
    ],
)
def test_the_offline_verifiers_signatures_are_rfc_8032s(public: str, message: str, signature: str) -> None:
    key, words, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert offline.is_signature(key, words, signed)
    assert not offline.is_signature(key, words + b"x", signed)
    assert not offline.is_signature(key, words, signed[:-1] + bytes([signed[-1] ^ 1]))
    assert not offline.is_signature(key, words, bytes([signed[0] ^ 1]) + signed[1:])
    assert not offline.is_signature(bytes([key[0] ^ 1]) + key[1:], words, signed)
