"""What the detector adds to the measurements, and what it never touches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from aiassist.types import EvidenceStage, HazardKind, IntegrityCode, Measurements
from aiassist.video.decoding import measure_video
from aiassist.video.detection import PERSON, VEHICLE, Box, Detection, Detector, DetectorFailed
from aiassist.video.film import FilmRoll
from aiassist.video.road_users import CLOSING_THRESHOLD, MOST_PICTURES, with_road_users
from aiassist.video.stream import Picture, gray_picture
from tests.aiassist.assessment.cases import calm, crash, hazard
from tests.aiassist.video.clips import street, write_clip
from tests.aiassist.video.networks import write_network

CLIP_SECONDS = 10.0
DEGRADED = ("detector_weights", "vision_model")


class FakeDetector(Detector):
    """Sees one road user whose box hangs on the time, which the test's film tells by its brightness."""

    def __init__(self, where: Callable[[float], Box | None], group: str = VEHICLE) -> None:
        self.where, self.group, self.times = where, group, list[float]()

    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        seconds = round((float(bgr.mean()) - 16) / 5) / 4
        self.times.append(seconds)
        box = self.where(seconds)
        return [] if box is None else [Detection(self.group, 0.6, box)]


class BrokenDetector(FakeDetector):
    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        raise DetectorFailed


def film_of(seconds: float = CLIP_SECONDS, claimed: float | None = None) -> FilmRoll:
    """A film of grey pictures, a quarter of a second apart, each five levels lighter than the one before."""
    film = FilmRoll(claimed or seconds)
    for index in range(int(seconds * 4)):
        planes = cv2.cvtColor(np.full((180, 320, 3), 16 + 5 * index, np.uint8), cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(np.asarray(planes, np.uint8), format="yuv420p")
        film.offer(Picture(index, index / 4, gray_picture(frame), frame), stands_out=False)
    return film


def ahead(contact_at: float, *, beside: float = 0.0, height: float = 0.06) -> Callable[[float], Box | None]:
    """A vehicle that would be met at a time; `beside` is its offset in its own widths."""

    def where(seconds: float) -> Box | None:
        left = contact_at - seconds
        if not 0.25 < left < 6:
            return None
        tall = height * 4 / left
        wide = tall * 0.6
        middle = 0.5 + beside * wide
        return Box(middle - wide / 2, 0.6 - tall / 2, middle + wide / 2, 0.6 + tall / 2)

    return where


def measured(**changes: object) -> Measurements:
    made = crash(degraded=DEGRADED, **changes)
    return replace(made, facts=replace(made.facts, duration_seconds=CLIP_SECONDS))


def findings(measurements: Measurements) -> list[str]:
    return [finding.kind for finding in measurements.findings if finding.kind == "closing_on_road_user"]


def test_a_vehicle_that_comes_nearer_is_evidence_with_its_picture() -> None:
    before = measured(hazards=(hazard(HazardKind.IMPACT, at=6.0),))
    after = with_road_users(before, film=film_of(), detector=FakeDetector(ahead(6.5)))
    (found,) = [finding for finding in after.findings if finding.kind == "closing_on_road_user"]
    assert (found.stage, found.measure) == (EvidenceStage.PROXIMITY, "sure_growth_per_second")
    assert found.value > found.threshold == CLOSING_THRESHOLD
    assert 3.5 <= found.start_seconds < found.at_seconds == found.end_seconds <= 6.5
    assert found.keyframe_jpeg is not None and found.keyframe_jpeg.startswith(b"\xff\xd8\xff")
    assert after.degraded == ("vision_model",)


def test_hazards_features_and_all_else_stay_as_they_were() -> None:
    before = measured(hazards=(hazard(HazardKind.IMPACT, at=6.0),))
    after = with_road_users(before, film=film_of(), detector=FakeDetector(ahead(6.5)))
    assert [f for f in after.findings if f.kind != "closing_on_road_user"] == list(before.findings)
    assert after.signals[: len(before.signals)] == before.signals
    assert replace(after, findings=before.findings, signals=before.signals, degraded=before.degraded) == before


def test_how_tall_somebody_ahead_is_becomes_a_signal() -> None:
    after = with_road_users(measured(hazards=()), film=film_of(), detector=FakeDetector(ahead(6.0)))
    signal = after.signals[-1]
    assert (signal.name, signal.unit) == ("road_user_ahead", "share")
    assert max(signal.values) > 0.2


@pytest.mark.parametrize("beside", [-1.7, 1.7])
def test_what_is_parked_beside_the_way_is_no_evidence(beside: float) -> None:
    detector = FakeDetector(ahead(6.5, beside=beside))
    assert findings(with_road_users(measured(), film=film_of(), detector=detector)) == []


def test_what_keeps_its_distance_is_no_evidence() -> None:
    detector = FakeDetector(lambda _seconds: Box(0.45, 0.5, 0.55, 0.65))
    after = with_road_users(measured(), film=film_of(), detector=detector)
    assert findings(after) == [] and after.degraded == ("vision_model",)


def test_a_person_in_the_way_is_found_too() -> None:
    detector = FakeDetector(ahead(6.5, beside=1.0), group=PERSON)
    assert findings(with_road_users(measured(), film=film_of(), detector=detector)) == ["closing_on_road_user"]


def test_something_near_is_looked_at_closer_without_any_hazard() -> None:
    detector = FakeDetector(ahead(6.0))
    quiet = replace(calm(degraded=DEGRADED), hazards=())
    assert findings(with_road_users(quiet, film=film_of(), detector=detector)) == ["closing_on_road_user"]


def test_the_detector_sees_a_bounded_number_of_pictures_each_once() -> None:
    many = tuple(hazard(HazardKind.HORN, at=float(at)) for at in range(1, 10))
    detector = FakeDetector(lambda _seconds: None)
    with_road_users(measured(hazards=many), film=film_of(), detector=detector)
    assert len(detector.times) == len(set(detector.times)) <= MOST_PICTURES


@pytest.mark.parametrize("case", ["no weights", "broken", "no dashcam view", "thinned film"])
def test_where_it_cannot_help_nothing_changes(case: str) -> None:
    before = measured(not_assessable_reason=IntegrityCode.NOT_DASHCAM) if case == "no dashcam view" else measured()
    detector = {"no weights": None, "broken": BrokenDetector(ahead(6.5))}.get(case, FakeDetector(ahead(6.5)))
    film = film_of(claimed=600.0) if case == "thinned film" else film_of()
    assert with_road_users(before, film=film, detector=detector) is before


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("drive") / "drive.mp4", street(40))


def test_the_decoding_child_runs_the_detector(drive: Path, tmp_path: Path) -> None:
    weights = write_network(tmp_path / "net.onnx", (2, 0.7, 0.4, 0.4, 0.6, 0.7))
    without, with_weights = measure_video(drive), measure_video(drive, detector=weights)
    assert with_weights.not_assessable_reason is None
    assert set(without.degraded) - set(with_weights.degraded) == {"detector_weights"}
    assert (with_weights.features, with_weights.hazards) == (without.features, without.hazards)
    ahead_signal = next(signal for signal in with_weights.signals if signal.name == "road_user_ahead")
    assert max(ahead_signal.values) == pytest.approx(0.3, abs=0.01)
    assert measure_video(drive, detector=weights) == with_weights


def test_weights_that_are_none_leave_the_measurement_as_it_is_without(drive: Path, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"no network")
    assert measure_video(drive, detector=tmp_path / "net.onnx") == measure_video(drive)
