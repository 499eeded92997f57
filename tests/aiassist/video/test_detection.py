"""Boxes out of the detector's answer: road users alone, in shares of the picture, each once, without the bonnet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aiassist.video.detection import PERSON, TWO_WHEELER, VEHICLE, Box, Detector, DetectorFailed, detector_from
from tests.aiassist.video.networks import Answer, write_network

PICTURE = np.zeros((360, 640, 3), np.uint8)
CAR, TRUCK, BICYCLE, AEROPLANE, MAN = 2, 7, 1, 4, 0


def found(tmp_path: Path, *answers: Answer) -> list[tuple[str, float, tuple[float, ...]]]:
    detections = Detector(write_network(tmp_path / "net.onnx", *answers)).find(PICTURE)
    return [(d.group, round(d.score, 2), tuple(round(e, 2) for e in vars(d.box).values())) for d in detections]


def test_boxes_are_shares_of_the_picture_the_surest_first(tmp_path: Path) -> None:
    car, man = (CAR, 0.6, 0.25, 0.5, 0.5, 0.7), (MAN, 0.8, 0.7, 0.4, 0.75, 0.6)
    assert found(tmp_path, car, man) == [
        (PERSON, 0.8, (0.7, 0.4, 0.75, 0.6)),
        (VEHICLE, 0.6, (0.25, 0.5, 0.5, 0.7)),
    ]


def test_what_no_road_carries_is_left_out(tmp_path: Path) -> None:
    assert found(tmp_path, (AEROPLANE, 0.9, 0.2, 0.2, 0.4, 0.4), (BICYCLE, 0.5, 0.6, 0.5, 0.7, 0.7)) == [
        (TWO_WHEELER, 0.5, (0.6, 0.5, 0.7, 0.7))
    ]


def test_a_weak_answer_is_none(tmp_path: Path) -> None:
    assert found(tmp_path, (CAR, 0.29, 0.2, 0.4, 0.4, 0.6)) == []


def test_the_own_bonnet_is_none(tmp_path: Path) -> None:
    assert found(tmp_path, (CAR, 0.9, 0.1, 0.8, 0.9, 1.0)) == []


def test_one_vehicle_that_is_car_and_truck_counts_once(tmp_path: Path) -> None:
    car, truck = (CAR, 0.5, 0.4, 0.4, 0.6, 0.6), (TRUCK, 0.6, 0.41, 0.4, 0.6, 0.6)
    assert [score for _, score, _ in found(tmp_path, car, truck)] == [0.6]


def test_edges_stay_inside_the_picture(tmp_path: Path) -> None:
    ((_, _, edges),) = found(tmp_path, (CAR, 0.6, -0.2, 0.4, 0.3, 1.2))
    assert edges == (0.0, 0.4, 0.3, 1.0)


def test_a_file_that_is_no_network_is_refused_and_goes_without(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(DetectorFailed):
        Detector(path)
    assert detector_from(path) is None and detector_from(None) is None


def test_overlap_is_shared_over_covered_ground() -> None:
    box = Box(0.0, 0.0, 0.4, 0.4)
    assert box.overlap(box) == pytest.approx(1.0)
    assert box.overlap(Box(0.2, 0.0, 0.6, 0.4)) == pytest.approx(1 / 3)
    assert box.overlap(Box(0.4, 0.0, 0.6, 0.4)) == 0.0
