"""A crash between others: a hazard where the own vehicle stands, evidence below its threshold where it creeps."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from aiassist.types import Finding, HazardKind, Measurements
from aiassist.video.gather import gather
from aiassist.video.limits import MEASURE_LIMITS
from aiassist.video.measure import measurements_of
from tests.aiassist.video.clips import HEIGHT, WIDTH, Image, street, write_clip

FPS, PICTURES, CONTACT = 20, 64, 44
SIZE = (50, 40)  # rows, columns
ROW, MEETING_COLUMN = 96, 200
STANDING, CREEPING, DRIVING = 0.0, 0.003, 0.012


def patch(seed: int) -> Image:
    """A rider: coarse spots, so that they keep their shape when the picture is made small."""
    spots = np.random.default_rng(seed).integers(0, 255, (SIZE[0] // 4 + 1, SIZE[1] // 4 + 1, 3), np.uint8)
    return np.repeat(np.repeat(spots, 4, axis=0), 4, axis=1)[: SIZE[0], : SIZE[1]]


def road(rate: float) -> list[Image]:
    """Pictures of a street that a camera stands in or drives along, with the noise of a sensor."""
    picture, noise = street(1)[0], np.random.default_rng(9)
    pictures = []
    for number in range(PICTURES):
        zoom = float(np.exp(rate * number))
        move = np.array([[zoom, 0, WIDTH / 2 * (1 - zoom)], [0, zoom, HEIGHT / 2 * (1 - zoom)]])
        seen = cv2.warpAffine(picture, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        pictures.append(np.clip(seen + noise.normal(0, 2, seen.shape), 0, 255).astype(np.uint8))
    return pictures


def collision(rate: float, *, happens: bool = True, pace: int = 3) -> list[Image]:
    """Two riders come from both sides and stop where they meet; or the nearer one drives on before the other."""
    pictures = road(rate)
    for number, picture in enumerate(pictures):
        before = CONTACT - (min(number, CONTACT) if happens else number)
        for seed, column in ((31, MEETING_COLUMN + pace * before), (32, MEETING_COLUMN - SIZE[1] - pace * before)):
            first, last = max(column, 0), min(column + SIZE[1], WIDTH)
            if first < last:
                picture[ROW : ROW + SIZE[0], first:last] = patch(seed)[:, first - column : last - column]
    return pictures


def measured(path: Path, pictures: list[Image]) -> Measurements:
    write_clip(path, pictures, fps=FPS)
    return measurements_of(gather(path, demuxer="mov", limits=MEASURE_LIMITS))


def strongest_change(told: Measurements) -> Finding | None:
    return next((finding for finding in told.findings if finding.kind == "strongest_change_of_others"), None)


def crashes(told: Measurements) -> list[float]:
    return [hazard.start_seconds for hazard in told.hazards if hazard.kind is HazardKind.IMPACT_THIRD_PARTY]


def test_a_crash_ahead_of_a_standing_camera_is_told_when_it_happens(tmp_path: Path) -> None:
    told = measured(tmp_path / "standing.mp4", collision(STANDING, pace=4))
    assert crashes(told) == [pytest.approx(CONTACT / FPS, abs=0.3)]
    assert strongest_change(told) is None, "what passed its threshold needs no lesser evidence"


@pytest.fixture(scope="module")
def creeping(tmp_path_factory: pytest.TempPathFactory) -> Measurements:
    return measured(tmp_path_factory.mktemp("creeping") / "creeping.mp4", collision(CREEPING))


def test_a_crash_ahead_of_a_creeping_camera_is_evidence_and_no_hazard(creeping: Measurements) -> None:
    found = strongest_change(creeping)
    assert found is not None
    assert found.at_seconds == pytest.approx(CONTACT / FPS, abs=0.3)
    assert found.start_seconds <= CONTACT / FPS <= found.end_seconds
    assert 0 < found.value < found.threshold
    assert (found.stage, found.measure) == ("MOTION", "slow_camera_jump_z")
    assert found.keyframe_jpeg
    assert crashes(creeping) == []


def test_who_passes_a_creeping_camera_changes_less_than_who_collides(creeping: Measurements, tmp_path: Path) -> None:
    crash = strongest_change(creeping)
    passing = strongest_change(measured(tmp_path / "passing.mp4", collision(CREEPING, happens=False)))
    assert crash is not None and passing is not None
    assert passing.value < crash.value


def test_nothing_is_said_of_others_from_a_driving_camera(tmp_path: Path) -> None:
    told = measured(tmp_path / "driving.mp4", collision(DRIVING))
    assert strongest_change(told) is None
    assert crashes(told) == []
