"""Splices, freezes, loops, black, test cards and broken clocks are flagged with their times; a jolt is none of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aiassist.types import IntegrityCode, Measurements
from aiassist.video.gather import gather
from aiassist.video.limits import MEASURE_LIMITS
from aiassist.video.measure import measurements_of
from aiassist.video.sniff import demuxer_for_file
from tests.aiassist.video.clips import Image, shifted, street, write_clip

FPS = 20


def measured(path: Path) -> Measurements:
    """Measures in this process: the child is tested elsewhere, and starting it takes longer than these clips."""
    demuxer = demuxer_for_file(path)
    assert demuxer is not None
    return measurements_of(gather(path, demuxer=demuxer, limits=MEASURE_LIMITS))


def times(measurements: Measurements, code: IntegrityCode) -> list[tuple[float | None, float | None]]:
    return [(flag.start_seconds, flag.end_seconds) for flag in measurements.integrity if flag.code is code]


@pytest.fixture(scope="module")
def drive() -> list[Image]:
    return street(100)


def test_an_untouched_drive_has_no_flag(tmp_path: Path, drive: list[Image]) -> None:
    assert measured(write_clip(tmp_path / "a.mp4", drive)).integrity == ()


def test_a_splice_is_found_where_it_is(tmp_path: Path, drive: list[Image]) -> None:
    """Two and a half seconds are cut out of the same drive: the same street goes on."""
    spliced = measured(write_clip(tmp_path / "a.mp4", drive[:37] + drive[87:]))
    assert times(spliced, IntegrityCode.EDIT_CUT) == [(37 / FPS, 37 / FPS)]


def test_a_hard_jolt_is_no_splice(tmp_path: Path, drive: list[Image]) -> None:
    blows = {50: 14.0, 51: -12.0, 52: 9.0, 53: -7.0, 54: 4.0}
    jolted = [
        shifted(picture, blows.get(number, 0.0) / 2, blows.get(number, 0.0)) for number, picture in enumerate(drive)
    ]
    assert times(measured(write_clip(tmp_path / "a.mp4", jolted)), IntegrityCode.EDIT_CUT) == []


def test_a_passing_shadow_is_no_splice(tmp_path: Path, drive: list[Image]) -> None:
    shaded = [(picture * (0.45 if 30 <= number < 42 else 1.0)).astype(np.uint8) for number, picture in enumerate(drive)]
    assert times(measured(write_clip(tmp_path / "a.mp4", shaded)), IntegrityCode.EDIT_CUT) == []


def test_a_frozen_picture_is_found_where_it_is(tmp_path: Path, drive: list[Image]) -> None:
    frozen = measured(write_clip(tmp_path / "a.mp4", [*drive[:40], *[drive[40]] * 20, *drive[41:80]]))
    ((start, end),) = times(frozen, IntegrityCode.FROZEN_FRAMES)
    assert start == pytest.approx(2.0, abs=0.06)
    assert end == pytest.approx(2.95, abs=0.06)


def test_a_loop_is_found_where_it_repeats(tmp_path: Path, drive: list[Image]) -> None:
    looped = measured(write_clip(tmp_path / "a.mp4", drive[:80] + drive[30:80]))
    ((start, end),) = times(looped, IntegrityCode.LOOPED_SEGMENT)
    assert start is not None and end is not None
    assert start == pytest.approx(4.0, abs=0.3)
    assert end == pytest.approx(6.5, abs=0.5)


@pytest.mark.parametrize(("name", "shade"), [("black", 0), ("grey", 120)])
def test_a_clip_without_content_cannot_be_judged(tmp_path: Path, name: str, shade: int) -> None:
    noise = np.random.default_rng(5)
    pictures = [np.clip(noise.normal(shade, 1.5, (180, 320, 3)), 0, 255).astype(np.uint8) for _ in range(30)]
    empty = measured(write_clip(tmp_path / f"{name}.mp4", pictures))
    assert empty.not_assessable_reason is IntegrityCode.STATIC_BLACK
    assert empty.hazards == ()


def test_a_still_picture_cannot_be_judged(tmp_path: Path, drive: list[Image]) -> None:
    assert measured(write_clip(tmp_path / "a.mp4", [drive[0]] * 40)).not_assessable_reason is IntegrityCode.STATIC_BLACK


def test_colour_bars_cannot_be_judged(tmp_path: Path) -> None:
    colours = [(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)]
    card = np.zeros((180, 320, 3), np.uint8)
    for number, colour in enumerate(colours):
        card[:, number * 320 // 7 : (number + 1) * 320 // 7] = colour
    noise = np.random.default_rng(6)
    pictures = [np.clip(card + noise.normal(0, 2, card.shape), 0, 255).astype(np.uint8) for _ in range(30)]
    assert measured(write_clip(tmp_path / "a.mp4", pictures)).not_assessable_reason is IntegrityCode.TEST_BARS


def test_missing_time_is_found(tmp_path: Path, drive: list[Image]) -> None:
    stamps = [number / FPS + (3.0 if number >= 50 else 0.0) for number in range(len(drive))]
    gapped = measured(write_clip(tmp_path / "a.mp4", drive, stamps=stamps))
    ((start, end),) = times(gapped, IntegrityCode.TIMESTAMP_GAP)
    assert start == pytest.approx(2.45, abs=0.01)
    assert end == pytest.approx(5.5, abs=0.01)


def test_every_flag_is_an_evidence_item_with_a_picture(tmp_path: Path, drive: list[Image]) -> None:
    spliced = measured(write_clip(tmp_path / "a.mp4", drive[:37] + drive[87:]))
    (finding,) = [finding for finding in spliced.findings if finding.kind == "edit_cut"]
    assert finding.value >= finding.threshold
    assert finding.keyframe_jpeg is not None and finding.keyframe_jpeg.startswith(b"\xff\xd8\xff")
