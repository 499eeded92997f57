"""The manifest of third-party weights, typed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_MANIFEST = Path(__file__).with_name("manifest.toml")


@dataclass(frozen=True)
class KnownFile:
    """A file whose bytes are known before it is seen."""

    file: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Package:
    """Where a package manager's own client finds the sources."""

    client: str
    specifier: str
    archive: KnownFile


@dataclass(frozen=True)
class Source:
    """A published file that the weights are made of, and its place in the package."""

    published: KnownFile
    member: str


@dataclass(frozen=True)
class Weights:
    """`without` is the code of what an assessment is degraded by while the file is not installed."""

    name: str
    version: str
    purpose: str
    licence: str
    origin: str
    without: str
    installed: KnownFile
    package: Package
    sources: tuple[Source, ...]


@cache
def known_weights() -> tuple[Weights, ...]:
    """Return every entry of the manifest, in its order."""
    entries = tomllib.loads(_MANIFEST.read_text(encoding="utf-8"))["weights"]
    return tuple(_weights(entry) for entry in entries)


def weights_named(name: str) -> Weights:
    """Return one entry of the manifest; raises KeyError."""
    return {weights.name: weights for weights in known_weights()}[name]


def _weights(entry: dict[str, object]) -> Weights:
    package, sources = entry["package"], entry["sources"]
    assert isinstance(package, dict) and isinstance(sources, list)
    texts = {name: str(entry[name]) for name in ("name", "version", "purpose", "licence", "origin", "without")}
    return Weights(
        **texts,
        installed=_known(entry),
        package=Package(str(package["client"]), str(package["specifier"]), _known(package)),
        sources=tuple(Source(_known(source), str(source["member"])) for source in sources),
    )


def _known(entry: dict[str, object]) -> KnownFile:
    return KnownFile(str(entry["file"]), str(entry["sha256"]), int(str(entry["size_bytes"])))
