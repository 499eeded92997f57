"""A clip of minutes is surveyed whole and looked at closely where it tells something; its times stay true."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiassist.types import EvidenceStage, HazardKind, IntegrityCode, Measurements
from aiassist.video.cues import Cue, ranked
from aiassist.video.detection import VEHICLE, Box, Detection, Detector
from aiassist.video.events import Event
from aiassist.video.film import FilmPicture, FilmRoll
from aiassist.video.glimpse import Glimpse, with_few_films
from aiassist.video.limits import MEASURE_LIMITS
from aiassist.video.measure import measure_file
from aiassist.video.packets import PacketTable
from aiassist.video.plan import LONGEST_SECONDS, Stretch, even_pictures, planned
from aiassist.video.road_users import MOST_PICTURES
from tests.aiassist.video.clips import Image, endless_street, remuxed, shifted, write_clip

FPS, SECONDS = 10, 180
CUT, BLOW = 62.4, 117.3
JOLTS = (14.0, -12.0, 9.0, -7.0, 4.0, -2.0)
SOUND_RATE = 16_000


def three_minutes() -> Iterator[Image]:
    """A drive that is spliced once, struck once and stands afterwards."""
    noise = np.random.default_rng(4)
    position = 0.0
    for number in range(SECONDS * FPS):
        struck = number - round(BLOW * FPS)
        position += 1.0 if struck < 0 else max(0.0, 0.5 - 0.1 * struck)
        picture = endless_street(position, seed=7 if number < CUT * FPS else 8)
        if 0 <= struck < len(JOLTS):
            picture = shifted(picture, JOLTS[struck] / 2, JOLTS[struck])
        yield np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def bang() -> np.ndarray:
    rng = np.random.default_rng(5)
    sound = rng.normal(0, 0.02, SECONDS * SOUND_RATE).astype(np.float32)
    first = round(BLOW * SOUND_RATE)
    sound[first : first + 4800] += rng.normal(0, 0.4, 4800) * np.exp(-np.arange(4800) / 1200)
    return sound


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_clip(path, three_minutes(), fps=FPS, sound=bang(), sound_rate=SOUND_RATE, gop=2 * FPS)


@pytest.fixture(scope="module")
def told(clip: Path) -> Measurements:
    return measure_file(clip, demuxer="mov", limits=MEASURE_LIMITS)


def impacts(told: Measurements) -> list[float]:
    return [hazard.start_seconds for hazard in told.hazards if hazard.kind is HazardKind.IMPACT]


def cuts(told: Measurements) -> list[float | None]:
    return [flag.start_seconds for flag in told.integrity if flag.code is IntegrityCode.EDIT_CUT]


def test_the_blow_is_found_where_it_is(told: Measurements) -> None:
    assert impacts(told) == [pytest.approx(BLOW, abs=0.5)]
    assert told.features["impact_seconds"] == pytest.approx(BLOW, abs=0.5)


def test_the_splice_is_found_where_it_is(told: Measurements) -> None:
    assert cuts(told) == [pytest.approx(CUT, abs=0.15)]


def test_every_item_is_told_with_a_picture_of_its_own_time(told: Measurements) -> None:
    assert {"impact", "edit_cut", "bang"} <= {finding.kind for finding in told.findings}
    assert all(finding.keyframe_jpeg is not None for finding in told.findings)
    assert min(abs(keyframe.at_seconds - BLOW) for keyframe in told.keyframes) < 1.0


def test_it_is_said_what_was_not_seen(told: Measurements) -> None:
    assert "unsampled_stretches" in told.degraded
    assert told.facts.frames_decoded < 0.5 * SECONDS * FPS
    (seen,) = [signal for signal in told.signals if signal.name == "pictures_per_second"]
    assert max(seen.values) == pytest.approx(FPS, rel=0.1)
    assert 0.3 < np.mean(np.array(seen.values) == 0) < 0.9


def test_facts_are_those_of_the_whole_clip(told: Measurements) -> None:
    facts = told.facts
    assert (facts.duration_seconds, facts.mean_fps, facts.variable_frame_rate) == (SECONDS, FPS, False)
    assert len(facts.perceptual_hashes) == 16 and len(told.keyframes) == 8
    assert all(len(signal.values) <= 2000 for signal in told.signals)


def test_the_same_clip_gives_the_same_measurements(clip: Path, told: Measurements) -> None:
    assert measure_file(clip, demuxer="mov", limits=MEASURE_LIMITS) == told


class Counting(Detector):
    """Sees a vehicle ahead in every picture it is shown, and counts them."""

    def __init__(self) -> None:
        self.shown = 0

    def find(self, bgr: Image) -> list[Detection]:
        self.shown += 1
        return [Detection(VEHICLE, 0.9, Box(0.45, 0.45, 0.55, 0.6))]


def test_the_detector_looks_where_an_event_was_measured_and_changes_nothing_else(
    clip: Path, told: Measurements
) -> None:
    detector = Counting()
    closer = measure_file(clip, demuxer="mov", limits=MEASURE_LIMITS, detector=detector)
    assert 8 < detector.shown <= MOST_PICTURES
    assert "detector_weights" in told.degraded and "detector_weights" not in closer.degraded
    assert "unsampled_stretches" in closer.degraded
    assert (closer.hazards, closer.features) == (told.hazards, told.features)
    (ahead,) = [signal for signal in closer.signals if signal.name == "road_user_ahead"]
    times = np.flatnonzero(ahead.values) * ahead.step_seconds
    assert times.size
    events = np.array([hazard.start_seconds for hazard in closer.hazards])
    assert np.abs(times[:, None] - events).min(axis=1).max() < LONGEST_SECONDS, (
        "nothing is drawn on where nobody looked"
    )


def test_films_are_kept_of_the_surest_events_within_one_clips_room() -> None:
    def told_by(score: float) -> Glimpse:
        event = Event(HazardKind.HARD_BRAKE, EvidenceStage.MOTION, "hard_brake", "loss", 1.0, 0.5, 1.0, 2.0, 1.5, score)
        film = FilmRoll(0.0)
        film._steady = [FilmPicture(float(index), np.zeros((3, 2), np.uint8)) for index in range(100)]
        nothing = np.zeros(0)
        return Glimpse(
            Stretch(0.0, 8.0), True, 0, {}, [event], [], [], [], [], {}, nothing, np.zeros((0, 1, 1), np.float32),
            None, film,
        )  # fmt: skip

    kept = with_few_films([told_by(score) for score in (0.6, 0.9, 0.7, 0.8)])
    assert [glimpse.film is not None for glimpse in kept] == [False, True, False, True]


def test_a_blow_that_nobody_hears_is_not_lost(tmp_path: Path, clip: Path) -> None:
    silent = remuxed(clip, tmp_path / "silent.mkv", sound=False)
    told = measure_file(silent, demuxer="matroska", limits=MEASURE_LIMITS)
    assert impacts(told) == [pytest.approx(BLOW, abs=0.5)]
    assert "audio_track" in told.degraded


def test_times_are_those_of_a_player_in_a_transport_stream(tmp_path: Path, clip: Path, told: Measurements) -> None:
    """A transport stream's clock does not start at zero, and it has no index."""
    path = remuxed(clip, tmp_path / "long.ts", container="mpegts")
    streamed = measure_file(path, demuxer="mpegts", limits=MEASURE_LIMITS)
    assert impacts(streamed) == pytest.approx(impacts(told), abs=0.05)
    assert cuts(streamed) == pytest.approx(cuts(told), abs=0.02)
    assert streamed.facts.perceptual_hashes == told.facts.perceptual_hashes


def test_a_header_that_claims_too_little_hides_nothing(tmp_path: Path, clip: Path) -> None:
    path = remuxed(clip, tmp_path / "claims.mkv")
    content = bytearray(path.read_bytes())
    at = content.index(b"\x44\x89\x88") + 3  # the Duration element, milliseconds
    content[at : at + 8] = struct.pack(">d", 20_000.0)
    path.write_bytes(bytes(content))
    shares: list[float] = []
    told = measure_file(path, demuxer="matroska", limits=MEASURE_LIMITS, on_progress=shares.append)
    assert impacts(told) == [pytest.approx(BLOW, abs=0.5)]
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_a_torn_long_clip_is_measured_as_far_as_it_can_be_read(tmp_path: Path, clip: Path) -> None:
    path = remuxed(clip, tmp_path / "torn.ts", container="mpegts")
    content = bytearray(path.read_bytes())
    first, size = round(len(content) * 0.6), len(content) // 20
    content[first : first + size] = np.random.default_rng(8).bytes(size)
    path.write_bytes(bytes(content))
    told = measure_file(path, demuxer="mpegts", limits=MEASURE_LIMITS)
    (gap,) = [flag for flag in told.integrity if flag.code is IntegrityCode.TIMESTAMP_GAP]
    assert gap.start_seconds is not None and CUT < gap.start_seconds < BLOW
    assert told.facts.duration_seconds == SECONDS
    assert cuts(told)[0] == pytest.approx(CUT, abs=0.15)  # where the lost stretch ends, another picture begins, too


def test_a_black_clip_of_minutes_cannot_be_judged(tmp_path: Path) -> None:
    noise = np.random.default_rng(6)
    black = (np.clip(noise.normal(3, 1.5, (180, 320, 3)), 0, 255).astype(np.uint8) for _ in range(70 * 5))
    told = measure_file(write_clip(tmp_path / "black.mp4", black, fps=5), demuxer="mov", limits=MEASURE_LIMITS)
    assert told.not_assessable_reason is IntegrityCode.STATIC_BLACK
    assert told.hazards == ()


moments = st.lists(st.floats(0, 3600, allow_nan=False), max_size=60)


@given(moments, st.floats(61, 3600))
def test_planned_stretches_are_apart_bounded_and_inside(at: list[float], duration: float) -> None:
    plan = planned(ranked([Cue(min(moment, duration), "bang", 1.0) for moment in at]), duration)
    assert all(0 <= stretch.start_seconds < stretch.end_seconds <= duration for stretch in plan)
    assert all(stretch.seconds <= LONGEST_SECONDS for stretch in plan)
    assert all(one.end_seconds <= two.start_seconds for one, two in pairwise(plan))
    assert sum(stretch.seconds for stretch in plan) <= max(60.0, 0.13 * duration) + 10.0


@given(st.floats(61, 3600))
def test_the_even_sample_lies_in_the_plan_whatever_was_cued(duration: float) -> None:
    plan = planned([Cue(duration / 3, "bang", 2.0)], duration)
    wanted = even_pictures(duration, 16)
    assert wanted == sorted(wanted)
    assert all(any(s.start_seconds <= at <= s.end_seconds for s in plan) for at in wanted)


def test_ranked_puts_a_moment_that_two_kinds_share_first() -> None:
    cues = [Cue(10.0, "change", 0.6), Cue(50.0, "bang", 0.9), Cue(50.5, "packet_size", 0.5), Cue(90.0, "bang", 1.0)]
    assert ranked(cues)[0].seconds == 50.0


class StoredPacket:
    """What `PacketTable` reads of a packet."""

    def __init__(self, pts: int | None, dts: int | None, *, key: bool = False, discard: bool = False) -> None:
        self.pts, self.dts, self.is_keyframe, self.is_discard = pts, dts, key, discard
        self.time_base, self.size = 0.1, 100


def table_of(packets: list[StoredPacket]) -> PacketTable:
    table = PacketTable(nominal_step=0.1)
    for packet in packets:
        table.add(packet)
    return table


def test_packet_table_goes_on_where_the_clock_is_set_back() -> None:
    packets = [StoredPacket(n, n, key=n % 5 == 0) for n in (100, 101, 102, 5, 6, 7)]
    table = table_of(packets)
    assert table.clock_breaks == 1
    assert table.seconds().tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])


def test_packet_table_starts_at_the_first_picture_shown() -> None:
    """Pictures cut off by an edit list and pictures before the first keyframe are not shown."""
    packets = [
        StoredPacket(0, 0, key=True, discard=True),
        StoredPacket(4, 1, key=True),
        StoredPacket(3, 2),
        StoredPacket(5, 3),
    ]
    assert table_of(packets).seconds().tolist() == pytest.approx([-0.4, 0.0, -0.1, 0.1])


def test_packet_table_counts_on_without_any_times() -> None:
    assert table_of([StoredPacket(None, None) for _ in range(3)]).seconds().tolist() == pytest.approx([0.0, 0.1, 0.2])
