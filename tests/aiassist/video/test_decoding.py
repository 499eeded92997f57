"""Whatever is uploaded, the two doors to a video answer with facts or with one named error, and never hang."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aiassist.video.decoding import measure_video, probe_video
from aiassist.video.errors import DecodeFailed
from aiassist.video.limits import DecodeLimits
from observability.errors import UnusableContent
from tests.aiassist.video.clips import street, write_clip, write_sound_only


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("drive") / "drive.mp4", street(40))


def test_probe_video_tells_the_facts(drive: Path) -> None:
    probe = probe_video(drive)
    assert (probe.container, probe.codec, probe.width_px, probe.height_px) == ("mov", "h264", 320, 180)
    assert (probe.duration_seconds, probe.mean_fps, probe.has_audio) == (2.0, 20.0, False)


def test_measure_video_counts_every_picture_and_reports_progress(drive: Path) -> None:
    shares: list[float] = []
    measured = measure_video(drive, on_progress=shares.append)
    assert measured.facts.frames_decoded == 40
    assert measured.facts.duration_seconds == pytest.approx(2.0)
    assert shares == sorted(shares) and shares[-1] == 1.0


def refusal_of(path: Path) -> DecodeFailed:
    with pytest.raises(DecodeFailed) as probed:
        probe_video(path)
    assert isinstance(probed.value, UnusableContent)
    with pytest.raises(DecodeFailed) as measured:
        measure_video(path)
    assert measured.value.code == probed.value.code == "unreadable_video"
    return probed.value


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just some words, renamed\n" * 50,
        b"ffconcat version 1.0\nfile drive.mp4\n",
        b"#EXTM3U\nfile:///etc/passwd\n",
    ],
    ids=["empty", "text", "ffconcat", "playlist"],
)
def test_a_renamed_file_is_no_video(tmp_path: Path, content: bytes, drive: Path) -> None:
    (tmp_path / "drive.mp4").write_bytes(drive.read_bytes())
    path = tmp_path / "claim.mp4"
    path.write_bytes(content)
    assert "not a known video container" in refusal_of(path).message


def test_a_video_whose_index_is_lost_is_refused(tmp_path: Path, drive: Path) -> None:
    path = tmp_path / "cut_off.mp4"
    path.write_bytes(drive.read_bytes()[:3000])  # the index (moov) stands at the end
    assert "damaged" in refusal_of(path).message


def test_a_header_without_anything_behind_is_refused(tmp_path: Path, drive: Path) -> None:
    path = tmp_path / "header.mp4"
    path.write_bytes(drive.read_bytes()[:32])
    refusal_of(path)


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    assert "no video stream" in refusal_of(write_sound_only(tmp_path / "voice.mp4", sound)).message


def test_a_file_of_zero_pictures_is_refused(tmp_path: Path, drive: Path) -> None:
    content = drive.read_bytes()
    start, end = content.index(b"mdat") + 4, content.index(b"moov")
    path = tmp_path / "zeros.mp4"
    path.write_bytes(content[:start] + bytes(end - start) + content[end:])
    assert "decoded" in refusal_of(path).message


def test_a_picture_larger_than_4k_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    pictures = [np.full((2400, 4200, 3), 60, np.uint8)]
    path = write_clip(tmp_path / "huge.mp4", pictures)
    refusal_of(path)


def test_a_container_that_lies_about_dimensions_does_not_decide_them(tmp_path: Path, drive: Path) -> None:
    content = bytearray(drive.read_bytes())
    at = content.index(b"avc1", content.index(b"stsd")) + 28  # width and height of the sample entry
    content[at : at + 4] = b"\xff\xf0\xff\xf0"
    path = tmp_path / "absurd.mp4"
    path.write_bytes(bytes(content))
    assert probe_video(path).width_px == measure_video(path).facts.width_px == 320


def test_a_longer_video_than_allowed_is_refused(drive: Path) -> None:
    with pytest.raises(DecodeFailed, match="longer than"):
        probe_video(drive, limits=DecodeLimits(max_duration_seconds=1.0))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal_of(tmp_path / "nothing.mp4").message


def test_a_damaged_stream_is_measured_as_far_as_it_decodes(tmp_path: Path, drive: Path) -> None:
    content = bytearray(drive.read_bytes())
    middle = content.index(b"mdat") + (content.index(b"moov") - content.index(b"mdat")) // 2
    content[middle : middle + 4000] = np.random.default_rng(3).bytes(4000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(bytes(content))
    measured = measure_video(path)
    assert measured.facts.decode_errors > 0
    assert 10 < measured.facts.frames_decoded <= 40
    assert "damaged_stream" in measured.degraded
