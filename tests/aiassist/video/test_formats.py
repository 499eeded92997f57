"""Every container and coding a dashcam or phone may write is measured; whatever is wrong with a file is said."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from aiassist.types import EvidenceStage, IntegrityCode, Measurements
from aiassist.video.decoding import measure_video, probe_video
from aiassist.video.gather import gather
from aiassist.video.limits import MEASURE_LIMITS, PROBE_LIMITS
from aiassist.video.measure import measure_file, measurements_of
from aiassist.video.probe import probe_file
from aiassist.video.sniff import demuxer_for_file
from tests.aiassist.video.clips import Image, street, write_clip

COUNT, FPS = 30, 25
CODINGS = [
    ("libx264", "mp4", None, "h264"),
    ("libx264", "mov", None, "h264"),
    ("libx264", "mkv", None, "h264"),
    ("libx264", "avi", None, "h264"),
    ("libx264", "ts", "mpegts", "h264"),
    ("libx265", "mp4", None, "hevc"),
    ("libx265", "ts", "mpegts", "hevc"),
    ("libvpx-vp9", "webm", None, "vp9"),
    ("libsvtav1", "mp4", None, "av1"),
    ("mjpeg", "avi", None, "mjpeg"),
    ("mjpeg", "mov", None, "mjpeg"),
    ("mpeg4", "avi", None, "mpeg4"),
    ("mpeg2video", "mpg", "mpeg", "mpeg2video"),
    ("prores_ks", "mov", None, "prores"),
    ("ffv1", "mkv", None, "ffv1"),
]
PIXELS = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    return street(COUNT)


def measured(path: Path) -> Measurements:
    """Measures in this process: the child is tested elsewhere, and starting it takes longer than these clips."""
    demuxer = demuxer_for_file(path)
    assert demuxer is not None
    probe_file(path, demuxer=demuxer, limits=PROBE_LIMITS)
    return measurements_of(gather(path, demuxer=demuxer, limits=MEASURE_LIMITS))


@pytest.mark.parametrize(("codec", "suffix", "container", "told"), CODINGS, ids=lambda value: str(value))
def test_every_common_coding_is_measured_whole(
    tmp_path: Path, pictures: list[Image], codec: str, suffix: str, container: str | None, told: str
) -> None:
    path = tmp_path / f"drive.{suffix}"
    pixels = PIXELS.get(codec, "yuv420p")
    write_clip(path, pictures, codec=codec, container=container, fps=FPS, pixel_format=pixels)
    facts = measured(path).facts
    assert (facts.codec, facts.frames_decoded, facts.decode_errors) == (told, COUNT, 0)
    assert facts.duration_seconds == pytest.approx(COUNT / FPS, abs=0.05)
    assert not facts.variable_frame_rate


def test_the_coding_does_not_change_what_is_seen(tmp_path: Path, pictures: list[Image]) -> None:
    flows = []
    for codec, suffix in (("libx264", "mp4"), ("mjpeg", "avi"), ("ffv1", "mkv")):
        path = write_clip(
            tmp_path / f"{codec}.{suffix}", pictures, codec=codec, pixel_format=PIXELS.get(codec, "yuv420p")
        )
        flows.append(measured(path).features["usual_ground_flow"])
    assert flows == pytest.approx([flows[0]] * 3, rel=0.2)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_clip_of_a_few_pictures_is_measured(tmp_path: Path, pictures: list[Image], count: int) -> None:
    assert measured(write_clip(tmp_path / "short.mp4", pictures[:count])).facts.frames_decoded == count


@pytest.mark.parametrize(("width", "height"), [(2, 2), (16, 16), (64, 4000), (4000, 64), (322, 182)])
def test_pictures_of_odd_shape_are_measured(tmp_path: Path, pictures: list[Image], width: int, height: int) -> None:
    shaped = [np.asarray(cv2.resize(picture, (width, height)), np.uint8) for picture in pictures[:12]]
    facts = measured(write_clip(tmp_path / "shape.mkv", shaped, codec="ffv1")).facts
    assert (facts.width_px, facts.height_px, facts.frames_decoded) == (width, height, 12)


@pytest.mark.parametrize("start", [0.0, 5.0, 95_440.0], ids=["zero", "late", "before the clock wraps"])
def test_times_count_from_the_first_picture(tmp_path: Path, pictures: list[Image], start: float) -> None:
    stamps = [start + number / 20 for number in range(COUNT)]
    path = write_clip(tmp_path / "late.ts", pictures, container="mpegts", stamps=stamps)
    told = measured(path)
    assert told.facts.duration_seconds == pytest.approx(1.5, abs=0.01)
    assert told.integrity == ()


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path, pictures: list[Image]) -> None:
    stamps = np.cumsum(np.random.default_rng(3).uniform(0.02, 0.12, COUNT))
    facts = measured(write_clip(tmp_path / "phone.mp4", pictures, stamps=list(stamps))).facts
    assert facts.variable_frame_rate
    assert facts.duration_seconds == pytest.approx(stamps[-1] - stamps[0], abs=0.1)


def test_a_claimed_rate_that_no_camera_has_skips_no_picture(tmp_path: Path, pictures: list[Image]) -> None:
    """A header that claims 1,000 pictures a second does not make 20 of them too many."""
    path = write_clip(tmp_path / "rate.avi", pictures, codec="mjpeg", pixel_format="yuvj420p", fps=20)
    content = bytearray(path.read_bytes())
    usual = gather(path, demuxer="avi", limits=MEASURE_LIMITS)
    at = content.index(b"strh") + 8 + 20  # scale and rate of the stream header
    content[at : at + 8] = struct.pack("<II", 1, 1000)
    path.write_bytes(bytes(content))
    fast = gather(path, demuxer="avi", limits=MEASURE_LIMITS)
    assert usual.record.count == COUNT
    assert fast.counts.frames_decoded == COUNT


def matrix(*, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> bytes:
    """The nine numbers of a track header's display matrix."""
    one = 1 << 16
    return struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)


UPRIGHT = matrix(a=1, d=1)
TURNS: dict[str, tuple[bytes, Callable[[Image], Image]]] = {
    "upside down": (matrix(a=-1, d=-1), lambda picture: np.rot90(picture, 2)),
    "a quarter clockwise": (matrix(b=1, c=-1), lambda picture: np.rot90(picture, 1)),
    "a quarter the other way": (matrix(b=-1, c=1), lambda picture: np.rot90(picture, -1)),
    "mirrored": (matrix(a=-1, d=1), lambda picture: picture[:, ::-1]),
}


@pytest.mark.parametrize("name", TURNS)
def test_a_turned_recording_is_measured_as_players_show_it(tmp_path: Path, pictures: list[Image], name: str) -> None:
    """The stored pictures are turned back by the file's matrix: what is measured is the upright street."""
    written, undo = TURNS[name]
    upright = gather(write_clip(tmp_path / "a.mp4", pictures[:8]), demuxer="mov", limits=MEASURE_LIMITS)
    stored = [np.ascontiguousarray(undo(picture)) for picture in pictures[:8]]
    path = write_clip(tmp_path / "b.mp4", stored)
    content = path.read_bytes()
    at = content.index(UPRIGHT, content.index(b"tkhd"))
    path.write_bytes(content[:at] + written + content[at + len(written) :])
    turned = gather(path, demuxer="mov", limits=MEASURE_LIMITS)
    assert (turned.width_px, turned.height_px) == (320, 180)
    assert probe_file(path, demuxer="mov", limits=PROBE_LIMITS)["width_px"] == 320
    assert np.abs(turned.record.thumb - upright.record.thumb).mean() < 3.0
    assert turned.film.spread(1)[0].bgr().shape == (180, 320, 3)


def test_interlaced_pictures_are_measured(tmp_path: Path, pictures: list[Image]) -> None:
    path = tmp_path / "interlaced.ts"
    with av.open(str(path), "w", format="mpegts") as output:
        video = output.add_stream("mpeg2video", rate=FPS, options={"flags": "+ildct+ilme", "top": "1"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        for picture in pictures:
            output.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(video.encode(None))
    assert measured(path).facts.frames_decoded == COUNT


def test_a_picture_size_that_changes_on_the_way_is_measured(tmp_path: Path, pictures: list[Image]) -> None:
    """Two recordings of different size in one transport stream: a splice, shown with both of its pictures."""
    small = [np.asarray(cv2.resize(picture, (160, 90)), np.uint8) for picture in street(COUNT, seed=9)]
    one = write_clip(tmp_path / "a.ts", pictures, container="mpegts")
    two = write_clip(tmp_path / "b.ts", small, container="mpegts")
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    told = measured(both)
    assert told.facts.frames_decoded > COUNT
    assert IntegrityCode.EDIT_CUT in {flag.code for flag in told.integrity}


def damage_of(told: Measurements) -> list[tuple[str, float, float]]:
    kinds = ("decode_errors", "missing_end")
    return [(f.kind, f.value, f.start_seconds) for f in told.findings if f.kind in kinds]


def test_damage_is_told_with_its_time_and_on_the_timeline(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "torn.mp4", street(80), fps=20)
    content = bytearray(path.read_bytes())
    middle = content.index(b"mdat") + (content.index(b"moov") - content.index(b"mdat")) // 2
    # More than a picture: what changes only the inside of one may still decode.
    content[middle : middle + 40_000] = np.random.default_rng(3).bytes(40_000)
    path.write_bytes(bytes(content))
    told = measured(path)
    assert "damaged_stream" in told.degraded
    assert damage_of(told)
    (finding, *_) = [finding for finding in told.findings if finding.kind == "decode_errors"]
    assert (finding.stage, finding.threshold) == (EvidenceStage.INTEGRITY, 1.0)
    assert finding.value >= 1.0 and finding.keyframe_jpeg is not None
    assert 1.0 < finding.start_seconds <= finding.end_seconds < 3.5
    (signal,) = [signal for signal in told.signals if signal.name == "decode_errors"]
    assert max(signal.values) >= 1.0


def test_an_untouched_clip_tells_of_no_damage(tmp_path: Path, pictures: list[Image]) -> None:
    told = measured(write_clip(tmp_path / "whole.mp4", pictures))
    assert damage_of(told) == [] and "damaged_stream" not in told.degraded
    assert "decode_errors" not in {signal.name for signal in told.signals}


def test_an_end_that_is_missing_is_told(tmp_path: Path) -> None:
    """The index stands in front and promises four seconds; the file breaks off after half of them."""
    path = tmp_path / "cut_off.mp4"
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as output:
        video = output.add_stream("libx264", rate=20, options={"preset": "ultrafast", "bf": "0"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        for picture in street(80):
            output.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(video.encode(None))
    content = path.read_bytes()
    start = content.index(b"mdat")
    path.write_bytes(content[: start + (len(content) - start) // 2])
    told = measured(path)
    assert 20 < told.facts.frames_decoded < 60
    (missing,) = [value for kind, value, _ in damage_of(told) if kind == "missing_end"]
    assert missing == pytest.approx(4.0 - told.facts.duration_seconds, abs=0.2)
    assert "damaged_stream" in told.degraded


def test_a_header_that_claims_a_day_is_checked_against_the_index(tmp_path: Path, pictures: list[Image]) -> None:
    path = write_clip(tmp_path / "day.mp4", pictures)
    content = bytearray(path.read_bytes())
    for box, offset in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):  # the duration of a version 0 box
        at = content.index(box) + offset
        content[at : at + 4] = struct.pack(">I", 0x7FFFFFFF)
    path.write_bytes(bytes(content))
    assert probe_video(path).duration_seconds < 2.0
    told = measure_video(path)
    assert told.facts.frames_decoded == COUNT
    assert len(told.keyframes) > 1


@pytest.mark.parametrize("claim", [61.0, 900.0])
def test_a_header_that_claims_too_much_leads_to_the_same_measurements(
    tmp_path: Path, pictures: list[Image], claim: float
) -> None:
    plain = write_clip(tmp_path / "plain.mkv", pictures)
    path = tmp_path / "claims.mkv"
    content = bytearray(plain.read_bytes())
    at = content.index(b"\x44\x89\x88") + 3  # the Duration element: eight bytes of floating point, in milliseconds
    content[at : at + 8] = struct.pack(">d", claim * 1000)
    path.write_bytes(bytes(content))
    lied = measure_file(path, demuxer="matroska", limits=MEASURE_LIMITS)
    true = measure_file(plain, demuxer="matroska", limits=MEASURE_LIMITS)
    assert lied.features == true.features
    assert lied.facts == true.facts
