"""What a camera's own sensors recorded is read strictly, put on the video's clock and told with its thresholds."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiassist.rendering.encode import render_clip
from aiassist.rendering.scenario import ClipKind, ClipSpec
from aiassist.types import EvidenceStage, HazardKind, IntegrityCode, Measurements
from aiassist.video.decoding import measure_video
from aiassist.video.gather import gather
from aiassist.video.limits import MEASURE_LIMITS
from aiassist.video.measure import measure_file
from aiassist.video.telemetry.boxes import accelerations, sensor_boxes, timed_lines
from aiassist.video.telemetry.measures import telemetry_events, telemetry_flags, telemetry_of
from aiassist.video.telemetry.nmea import fixes_in, trusted
from aiassist.video.telemetry.tracks import Recorded, horizontal, read_telemetry
from tests.aiassist.video.clips import street, write_clip

START = datetime(2026, 3, 4, 10, 20, 30, tzinfo=UTC).timestamp()
BLOW = 4.8
PULSE_G, PULSE_SECONDS = 3.0, 0.2
SPEED_KMH = 50.0


def sentence(at: float, kmh: float, *, latitude: float = 53.38, talker: str = "GP", check: str | None = None) -> str:
    """One RMC sentence with its checksum."""
    moment = datetime.fromtimestamp(START + at, UTC)
    degrees = int(latitude)
    minutes = (latitude - degrees) * 60
    body = (
        f"{talker}RMC,{moment:%H%M%S}.{moment.microsecond // 1000:03d},A,{degrees:02d}{minutes:08.5f},N,"
        f"00128.20000,W,{kmh / 1.852:.3f},084.4,{moment:%d%m%y},,,A"
    )
    right = 0
    for letter in body.encode():
        right ^= letter
    return f"${body}*{check or f'{right:02X}'}"


def speed_at(seconds: float) -> float:
    return SPEED_KMH if seconds < BLOW else SPEED_KMH - PULSE_G * PULSE_SECONDS * 35.3


def gps_box(seconds: float = 8.0, *, leap: float = 0.0) -> bytes:
    """Text as BlackVue cameras write it, one fix a second; the satellite clock may leap in the middle."""
    lines = []
    for number in range(int(seconds)):
        at = number + (leap if number >= seconds / 2 else 0.0)
        lines.append(f"[{round((START + number) * 1000)}]{sentence(at, speed_at(number))}\r\n\r\n")
    return "".join(lines).encode()


def shock_box(seconds: float = 8.0, *, step: float = 0.1) -> bytes:
    """Records of a camera mounted with a tilt: gravity on two axes, the blow along the third."""
    records = []
    for number in range(round(seconds / step)):
        at = number * step
        blow = PULSE_G if BLOW <= at < BLOW + PULSE_SECONDS - 1e-9 else 0.0
        records.append(struct.pack(">Ihhh", round(at * 1000), round(128 * 0.98), round(128 * 0.2), -round(128 * blow)))
    return b"".join([*records, b"\xff" * 40])


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def blackvue(path: Path, target: Path, *boxes: tuple[bytes, bytes]) -> Path:
    """The clip with a `free` box behind it, in which the sensors stand beside a thumbnail."""
    inner = box(b"thum", b"\xff\xd8\xff" + bytes(50)) + b"".join(box(*one) for one in boxes)
    target.write_bytes(path.read_bytes() + box(b"free", inner))
    return target


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("crash") / "crash.mp4"
    spec = ClipSpec(
        ClipKind.REAR_END, 31, width=320, height=180, fps=12, duration_seconds=8.0, delta_v_kmh=20.0, event_seconds=BLOW
    )
    render_clip(spec, path)
    return path


@pytest.fixture(scope="module")
def told(crash: Path) -> Measurements:
    path = blackvue(crash, crash.with_name("bv.mp4"), (b"gps ", gps_box()), (b"3gf ", shock_box()))
    return measure_video(path)


def test_the_blow_is_told_with_its_value_and_threshold(told: Measurements) -> None:
    items = {item.kind: item for item in told.findings if item.stage is EvidenceStage.TELEMETRY}
    assert (items["impact"].measure, items["impact"].threshold) == ("peak_g", 1.5)
    assert items["impact"].value == pytest.approx(PULSE_G, abs=0.1)
    assert items["impact"].start_seconds == pytest.approx(BLOW, abs=0.11)
    assert items["impact"].keyframe_jpeg is not None


def test_the_change_of_speed_holds_the_truth_within_its_error(told: Measurements) -> None:
    assert told.telemetry is not None
    change, error = told.telemetry.delta_v_kmh, told.telemetry.delta_v_error_kmh
    assert change is not None and error is not None
    assert abs(change - PULSE_G * PULSE_SECONDS * 35.3) <= error
    assert told.telemetry.delta_v_seconds == pytest.approx(BLOW, abs=0.11)
    assert told.telemetry.recorded_unix_seconds == pytest.approx(START, abs=1.0)
    assert told.telemetry.fixes == 8
    assert told.telemetry.largest_speed_kmh == pytest.approx(SPEED_KMH, abs=0.1)


def test_a_blow_that_camera_and_sensor_noticed_is_one_hazard(told: Measurements) -> None:
    blows = [hazard.start_seconds for hazard in told.hazards if hazard.kind is HazardKind.IMPACT]
    assert blows == [pytest.approx(BLOW, abs=0.3)]


def test_signals_are_on_the_clock_of_the_pictures(told: Measurements) -> None:
    signals = {signal.name: signal for signal in told.signals}
    shock, speed = signals["acceleration_g"], signals["speed_kmh"]
    assert (shock.unit, shock.threshold, speed.unit) == ("g", 0.45, "km/h")
    peak = int(np.argmax(shock.values)) * shock.step_seconds
    assert peak == pytest.approx(BLOW, abs=0.15)
    assert speed.values[0] == pytest.approx(SPEED_KMH, abs=0.1)


def test_sensors_change_nothing_that_pictures_and_sound_say(told: Measurements, crash: Path) -> None:
    plain = measure_video(crash)  # in a child as well: how many threads share a sum is told by its last digits
    assert plain.telemetry is None
    assert told.features == plain.features
    assert {item for item in told.findings if item.stage is not EvidenceStage.TELEMETRY} == set(plain.findings)
    assert set(plain.hazards) <= set(told.hazards)


def _text_track(output: av.container.OutputContainer, codec: str) -> Any:
    return output.add_stream(codec, subtitle_header=b"[Script Info]\n[V4+ Styles]\n[Events]\n")


def text_clip(path: Path, codec: str, payload: Callable[[int], bytes], container: str | None = None) -> Path:
    """Two seconds of pictures with a sentence in each second, in a track beside them."""
    with av.open(str(path), "w", format=container) as output:
        video = output.add_stream("libx264", rate=20, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        track: Any = output.add_data_stream(codec) if codec == "bin_data" else _text_track(output, codec)
        track.time_base = Fraction(1, 1000)
        for number, picture in enumerate(street(40)):
            output.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            if number % 20 == 0:
                packet = av.Packet(payload(number // 20))
                packet.stream, packet.time_base, packet.duration = track, Fraction(1, 1000), 900
                packet.pts = packet.dts = number * 50
                output.mux(packet)
        output.mux(video.encode(None))
    return path


def boxed(text: bytes) -> bytes:
    """A text sample of an MP4 file: its length, then the text."""
    return struct.pack(">H", len(text)) + text


@pytest.mark.parametrize(
    ("suffix", "codec", "container", "wrap", "demuxer"),
    [
        ("mp4", "mov_text", None, boxed, "mov"),
        ("mkv", "subrip", None, bytes, "matroska"),
        ("mp4", "bin_data", None, bytes, "mov"),
        ("ts", "bin_data", "mpegts", bytes, "mpegts"),
    ],
)
def test_sentences_in_text_and_data_tracks_are_read(
    tmp_path: Path, suffix: str, codec: str, container: str | None, wrap: Callable[[bytes], bytes], demuxer: str
) -> None:
    def payload(second: int) -> bytes:
        return wrap(b"gsensori,4,512,-67;" + sentence(second, 36.0 + second, talker="GN").encode() + b"\r\n")

    path = text_clip(tmp_path / f"nmea.{suffix}", codec, payload, container)
    recorded = read_telemetry(path, demuxer=demuxer, limits=MEASURE_LIMITS)
    assert recorded.fix_seconds.tolist() == pytest.approx([0.0, 1.0], abs=0.06)
    assert [fix.speed_kmh for fix in recorded.fixes] == pytest.approx([36.0, 37.0], abs=0.01)
    gather(path, demuxer=demuxer, limits=MEASURE_LIMITS)


@pytest.mark.parametrize(
    "line",
    [
        "$GPRMC,102030.000,V,5322.8,N,00128.2,W,27.0,84.4,040326,,,N*00",
        "$GPRMC,102030.000,A,5322.80000,N,00128.20000,W,999.9,84.4,040326",
        "$GPRMC,102030.000,A,9922.80000,N,00128.20000,W,27.0,84.4,040326",
        "$GPRMC,102030.000,A,5399.80000,N,00128.20000,W,27.0,84.4,040326",
        "$GPRMC,102030.000,A,5322.80000,N,00128.20000,W,27.0,84.4,991326",
        "$GPRMC,102030.000,A,5322.80000,N,00128.20000,W,27.0,84.4",
        "$GPGGA,102030.00,5322.80000,N,00128.20000,W,1,10,0.82,7.7,M",
        "$GPRMC," + "9" * 500,
        "$GPRMC,\u0661\u0662\u0663\u0664\u0665\u0666,A,5322.80000,N,00128.20000,W,27.0,84.4,040326",
    ],
    ids=["no fix", "too fast", "no latitude", "61 minutes", "month 13", "no date", "other", "long", "other digits"],
)
def test_what_is_no_fix_is_not_believed(line: str) -> None:
    assert fixes_in(line) == []


def test_a_sentence_without_a_dollar_sign_is_read_and_one_inside_a_word_is_not() -> None:
    line = sentence(0, 40).removeprefix("$")
    assert len(fixes_in(f"CAR,1;{line};")) == 1
    assert fixes_in(f"X{line}") == []


def test_trusted_drops_damage_but_not_a_camera_that_never_computes_the_checksum() -> None:
    good, bad = sentence(0, 40), sentence(1, 40, check="00")
    assert trusted(fixes_in(f"{good}\n{bad}\n{good}")) == [True, False, True]
    assert trusted(fixes_in(f"{bad}\n{bad}")) == [True, True]


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=300))
def test_any_text_gives_fixes_or_none(text: str) -> None:
    for fix in fixes_in(text + sentence(0, 40)[:40] + text):
        assert abs(fix.latitude) <= 90 and abs(fix.longitude) <= 180


@given(st.binary(max_size=400), st.binary(max_size=60))
def test_any_file_gives_boxes_or_none(tmp_path_factory: pytest.TempPathFactory, content: bytes, tail: bytes) -> None:
    path = tmp_path_factory.mktemp("boxes") / "file"
    path.write_bytes(box(b"ftyp", b"mp42") + box(b"free", content) + tail)
    found = sensor_boxes(path)
    timed_lines(found.gps)
    seconds, axes = accelerations(found.acceleration)
    assert seconds.size == axes.shape[0]


@given(st.binary(max_size=2000))
def test_any_records_give_a_clock_that_goes_on(raw: bytes) -> None:
    seconds, axes = accelerations(raw)
    assert (np.diff(seconds) > 0).all() and axes.shape == (seconds.size, 3)
    rest_seconds, rest = horizontal(seconds, axes)
    recorded = Recorded(shock_seconds=rest_seconds, shock_g=rest)
    events = telemetry_events(recorded)
    assert all(event.value >= event.threshold and event.end_seconds >= event.start_seconds for event in events)
    assert all(np.isfinite(value) for value in asdict(telemetry_of(recorded, events)).values() if value is not None)


def test_oversized_and_broken_boxes_count_as_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(box(b"ftyp", b"mp42") + box(b"free", struct.pack(">I4s", 0x7FFFFFFF, b"gps ")))
    assert sensor_boxes(path).gps == b""
    path.write_bytes(box(b"ftyp", b"mp42") + box(b"free", box(b"3gf ", bytes(3 * 1024 * 1024))))
    assert sensor_boxes(path).acceleration == b""


def test_a_sensor_of_another_unit_is_not_believed() -> None:
    """Ten times gravity at rest is no gravity: the unit is not known, so nothing is said."""
    seconds = np.arange(20) / 10
    assert horizontal(seconds, np.tile([0.0, 10.0, 0.0], (20, 1)))[0].size == 0


def test_potholes_are_no_blows() -> None:
    """Gravity tells which way is up, however the camera hangs."""
    seconds, axes = np.arange(40) / 10, np.tile([0.6, 0.8, 0.0], (40, 1))
    axes[20] += 3.0 * np.array([0.6, 0.8, 0.0])
    _, across = horizontal(seconds, axes)
    assert np.linalg.norm(across, axis=1).max() < 0.01


def test_braking_is_told_by_either_sensor() -> None:
    seconds, axes = np.arange(60) / 10, np.tile([1.0, 0.0, 0.0], (60, 1))
    axes[20:30, 2] = -0.6
    felt = telemetry_events(Recorded(shock_seconds=seconds, shock_g=horizontal(seconds, axes)[1]))
    assert [(event.hazard, round(event.value, 2)) for event in felt] == [(HazardKind.HARD_BRAKE, 0.6)]
    assert felt[0].start_seconds == pytest.approx(2.0) and felt[0].end_seconds == pytest.approx(2.9)
    lines = "\n".join(sentence(at, kmh) for at, kmh in enumerate((60, 60, 40, 20, 20)))
    seen = telemetry_events(Recorded(fix_seconds=np.arange(5.0), fixes=tuple(fixes_in(lines))))
    assert [(event.hazard, round(event.value, 2)) for event in seen] == [(HazardKind.HARD_BRAKE, 0.57)]
    assert (seen[0].start_seconds, seen[0].end_seconds) == (1.0, 3.0)


def recorded_from(lines: list[str]) -> Recorded:
    return Recorded(fix_seconds=np.arange(float(len(lines))), fixes=tuple(fixes_in("\n".join(lines))))


def test_an_even_recording_raises_no_flag() -> None:
    assert telemetry_flags(recorded_from([sentence(at, 40) for at in range(8)]), 8.0) == []


def test_a_satellite_clock_that_leaps_is_flagged() -> None:
    flags = telemetry_flags(recorded_from([sentence(at + (3600 if at > 3 else 0), 40) for at in range(8)]), 8.0)
    assert [(flag.code, flag.value, flag.start_seconds) for flag in flags] == [
        (IntegrityCode.TIMESTAMP_GAP, 3600.0, 3.0)
    ]


def test_a_position_that_leaps_is_flagged() -> None:
    lines = [sentence(at, 40, latitude=53.38 + (0.1 if at > 3 else 0.0)) for at in range(8)]
    (flag,) = telemetry_flags(recorded_from(lines), 8.0)
    assert (flag.code, flag.start_seconds, flag.end_seconds) == (IntegrityCode.METADATA_MISMATCH, 3.0, 4.0)
    assert flag.value > flag.threshold


def test_sensors_that_outlast_the_pictures_are_flagged(crash: Path, tmp_path: Path) -> None:
    """The pictures were cut, the sensors were forgotten."""
    path = blackvue(crash, tmp_path / "cut.mp4", (b"gps ", gps_box(60.0)))
    told = measure_file(path, demuxer="mov", limits=MEASURE_LIMITS)
    (flag,) = [flag for flag in told.integrity if flag.code is IntegrityCode.METADATA_MISMATCH]
    assert flag.value == pytest.approx(59.0 - 8.0, abs=0.2)
    assert any(item.kind == "metadata_mismatch" for item in told.findings)


def test_the_satellites_bound_a_change_of_speed() -> None:
    """An accelerometer that says 30 km/h cannot be right when the speed fell by 5."""
    seconds = np.arange(80) / 10
    shocks = np.zeros((80, 3))
    shocks[40:43, 2] = -3.0
    felt = Recorded(shock_seconds=seconds, shock_g=shocks)
    lines = "\n".join(sentence(at, 50.0 if at <= 4 else 45.0) for at in range(8))
    both = replace(felt, fix_seconds=np.arange(8.0), fixes=tuple(fixes_in(lines)))
    alone, bounded = (telemetry_of(one, telemetry_events(one)) for one in (felt, both))
    assert alone.delta_v_kmh == pytest.approx(31.8, abs=0.5)
    assert bounded.delta_v_kmh is not None and bounded.delta_v_kmh < 31.8
    assert bounded.delta_v_error_kmh is not None and alone.delta_v_error_kmh is not None
    assert bounded.delta_v_error_kmh >= alone.delta_v_error_kmh


def test_a_clip_without_sensors_tells_of_none(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "plain.mp4", street(8))
    assert read_telemetry(path, demuxer="mov", limits=MEASURE_LIMITS).is_empty
