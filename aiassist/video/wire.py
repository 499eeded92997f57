"""Carries measurements from the child to its parent: one JSON file and one JPEG file per picture.

No pickle: the child has read hostile data, so the parent checks every value it takes over.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from aiassist.types import (
    EvidenceStage,
    Finding,
    Hazard,
    HazardKind,
    IntegrityCode,
    IntegrityFlag,
    Keyframe,
    Measurements,
    Signal,
    Telemetry,
    VideoFacts,
)
from aiassist.video.errors import DecodeFailed

RESULT_FILE = "result.json"
MAX_RESULT_BYTES = 16 * 1024 * 1024
MAX_PICTURE_BYTES = 2 * 1024 * 1024
MAX_PICTURES = 200
JPEG_START = b"\xff\xd8\xff"


def write_measurements(measurements: Measurements, *, folder: Path, peak_resident_bytes: int) -> None:
    """Writes the result into the private folder; pictures become numbered files."""
    pictures: list[bytes] = []
    findings = [_without_picture(finding, pictures) for finding in measurements.findings]
    keyframes = [
        {"at_seconds": keyframe.at_seconds, "picture": _keep(keyframe.jpeg, pictures)}
        for keyframe in measurements.keyframes
    ]
    content = asdict(replace(measurements, findings=(), keyframes=()))
    content |= {"findings": findings, "keyframes": keyframes}
    for number, jpeg in enumerate(pictures):
        (folder / _picture_name(number)).write_bytes(jpeg)
    told = {"measurements": content, "peak_resident_bytes": peak_resident_bytes}
    (folder / RESULT_FILE).write_text(json.dumps(told, allow_nan=False), encoding="utf-8")


def read_result(folder: Path) -> dict[str, Any]:
    """Reads the child's JSON; raises DecodeFailed when there is none or it is none."""
    try:
        told = json.loads(_bounded_bytes(folder / RESULT_FILE, MAX_RESULT_BYTES), parse_constant=_refuse_constant)
    except (OSError, ValueError) as problem:
        raise DecodeFailed("Reading the video gave no result.") from problem
    if not isinstance(told, dict):
        raise DecodeFailed("Reading the video gave no result.")
    return told


def measurements_from(content: dict[str, Any], *, folder: Path) -> Measurements:
    """Builds the value from the child's JSON and pictures; raises DecodeFailed when a value is not what it must be."""
    try:
        return Measurements(
            facts=_facts_from(content["facts"]),
            signals=tuple(_signal_from(row) for row in content["signals"]),
            findings=tuple(_finding_from(row, folder) for row in content["findings"]),
            hazards=tuple(Hazard(**{**row, "kind": HazardKind(row["kind"])}) for row in content["hazards"]),
            integrity=tuple(
                IntegrityFlag(**{**row, "code": IntegrityCode(row["code"])}) for row in content["integrity"]
            ),
            features={str(name): _finite(value) for name, value in content["features"].items()},
            not_assessable_reason=_reason_from(content["not_assessable_reason"]),
            degraded=tuple(str(name) for name in content["degraded"]),
            keyframes=tuple(
                Keyframe(_finite(row["at_seconds"]), _picture_from(row["picture"], folder) or b"")
                for row in content["keyframes"]
            ),
            telemetry=_telemetry_from(content["telemetry"]),
        )
    except (KeyError, TypeError, ValueError, OSError, AttributeError) as problem:
        raise DecodeFailed("Reading the video gave a result that makes no sense.") from problem


def _without_picture(finding: Finding, pictures: list[bytes]) -> dict[str, object]:
    """The finding as plain values, its picture replaced by the number of its file."""
    row = asdict(replace(finding, keyframe_jpeg=None))
    row["keyframe_jpeg"] = _keep(finding.keyframe_jpeg, pictures)
    return row


def _keep(jpeg: bytes | None, pictures: list[bytes]) -> int | None:
    if jpeg is None or len(pictures) >= MAX_PICTURES:
        return None
    pictures.append(jpeg)
    return len(pictures) - 1


def _picture_name(number: int) -> str:
    return f"picture-{number:03d}.jpg"


def _picture_from(number: object, folder: Path) -> bytes | None:
    if number is None:
        return None
    if not isinstance(number, int) or not 0 <= number < MAX_PICTURES:
        raise ValueError("picture number")
    jpeg = _bounded_bytes(folder / _picture_name(number), MAX_PICTURE_BYTES)
    if not jpeg.startswith(JPEG_START):
        raise ValueError("not a JPEG picture")
    return jpeg


def _bounded_bytes(path: Path, most: int) -> bytes:
    """Reads a plain file of bounded size; a link is refused, it could lead out of the folder."""
    if path.is_symlink():
        raise ValueError("a link")
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise ValueError("too large")
    return content


def _facts_from(row: dict[str, Any]) -> VideoFacts:
    return VideoFacts(**{**row, "perceptual_hashes": tuple(str(value) for value in row["perceptual_hashes"])})


def _telemetry_from(row: dict[str, Any] | None) -> Telemetry | None:
    if row is None:
        return None
    counts = {name: int(row[name]) for name in ("fixes", "acceleration_samples")}
    values = {name: None if value is None else _finite(value) for name, value in row.items() if name not in counts}
    return Telemetry(fixes=counts["fixes"], acceleration_samples=counts["acceleration_samples"], **values)


def _signal_from(row: dict[str, Any]) -> Signal:
    return Signal(**{**row, "values": tuple(_finite(value) for value in row["values"])})


def _finding_from(row: dict[str, Any], folder: Path) -> Finding:
    picture = _picture_from(row["keyframe_jpeg"], folder)
    return Finding(**{**row, "stage": EvidenceStage(row["stage"]), "keyframe_jpeg": picture})


def _reason_from(code: object) -> IntegrityCode | None:
    return None if code is None else IntegrityCode(str(code))


def _finite(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]  # a wrong type raises TypeError, which the caller expects
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON knows")
