"""A decoder that hangs, crashes, burns, hoards or lies ends as one named error, and its process is gone."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from aiassist.video import decoding, sandbox
from aiassist.video.errors import DecodeFailed, DecodeOutOfMemory, DecodeTimeout, MachineBusy
from aiassist.video.limits import MEASURE_LIMITS, MEBIBYTE, DecodeLimits
from aiassist.video.sandbox import run_child
from tests.aiassist.video.clips import street, write_clip

LIMITS = DecodeLimits(wall_seconds=20, cpu_seconds=20, resident_bytes=150 * MEBIBYTE, output_bytes=4 * MEBIBYTE)


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "CHILD_MODULE", "tests.aiassist.video.misbehaving_child")
    load(monkeypatch, 0.5)


def load(monkeypatch: pytest.MonkeyPatch, per_core: float) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("os.getloadavg", lambda: (2 * per_core, 0.0, 0.0))


def run(deed: str, folder: Path, limits: DecodeLimits = LIMITS) -> list[float]:
    shares: list[float] = []
    path = folder / f"{deed}.mp4"
    path.touch()
    run_child(task="measure", path=path, demuxer="mov", folder=folder, limits=limits, on_progress=shares.append)
    return shares


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize("deed", ["hangs", "hangs_with_closed_output"])
def test_run_child_stops_one_that_hangs(tmp_path: Path, deed: str) -> None:
    with pytest.raises(DecodeTimeout) as caught:
        run(deed, tmp_path, DecodeLimits(wall_seconds=1.0))
    assert caught.value.code == "decode_timeout"


@pytest.mark.usefixtures("misbehaving")
def test_an_overloaded_machine_that_starves_the_child_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(monkeypatch, 10.0)
    with pytest.raises(MachineBusy) as caught:
        run("hangs", tmp_path, DecodeLimits(wall_seconds=1.0))
    assert (caught.value.code, caught.value.retry_after_seconds) == ("machine_busy", 60)
    monkeypatch.setattr(sandbox, "STARVED_SHARE", 0.02)
    with pytest.raises(DecodeTimeout):  # it had the processor, however many others wanted it
        run("burns", tmp_path, DecodeLimits(wall_seconds=3.0))


@pytest.mark.usefixtures("misbehaving")
def test_run_child_stops_one_that_burns_the_processor(tmp_path: Path) -> None:
    with pytest.raises(DecodeTimeout):
        run("burns", tmp_path, DecodeLimits(cpu_seconds=1, wall_seconds=60))


@pytest.mark.usefixtures("misbehaving")
def test_run_child_stops_one_that_hoards_memory(tmp_path: Path) -> None:
    with pytest.raises(DecodeOutOfMemory) as caught:
        run("hoards", tmp_path)
    assert caught.value.code == "decode_out_of_memory"


@pytest.mark.usefixtures("misbehaving")
@pytest.mark.parametrize("deed", ["crashes", "floods"])
def test_run_child_names_one_that_dies(tmp_path: Path, deed: str) -> None:
    with pytest.raises(DecodeFailed) as caught:
        run(deed, tmp_path)
    assert caught.value.code == "unreadable_video"
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2 * LIMITS.output_bytes


@pytest.mark.usefixtures("misbehaving")
def test_run_child_reads_progress_and_skips_what_libraries_print(tmp_path: Path) -> None:
    assert run("looks", tmp_path) == [0.25]


@pytest.mark.usefixtures("misbehaving")
def test_run_child_passes_no_secret_of_the_parent_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SECRET_KEY", "hush")
    run("looks", tmp_path)
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert "hush" not in seen.values()
    assert set(seen) <= {"PATH", "PYTHONPATH", "LC_ALL", "TMPDIR", "HOME"} | {
        name for name in seen if name.startswith(("PYTHON", "OMP_", "OPENBLAS_"))
    }


@pytest.mark.usefixtures("misbehaving")
def test_measure_video_refuses_a_result_that_makes_no_sense(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "lies.mp4", street(4))
    with pytest.raises(DecodeFailed, match="no result"):
        decoding.measure_video(path)


@pytest.mark.usefixtures("misbehaving")
def test_run_child_leaves_no_process_behind(tmp_path: Path) -> None:
    before = own_children()
    with pytest.raises(DecodeTimeout):
        run("hangs", tmp_path, DecodeLimits(wall_seconds=0.5))
    assert own_children() == before


def own_children() -> set[str]:
    """Process ids of this process's children, dead ones that nobody waited for included."""
    return {pid for tasks in Path("/proc/self/task").glob("*/children") for pid in tasks.read_text().split()}


def _measure_in_daemon(path: str, told: multiprocessing.Queue[int]) -> None:
    told.put(decoding.measure_video(Path(path)).facts.frames_decoded)


def test_measure_video_works_in_a_daemonic_worker(tmp_path: Path) -> None:
    """A Celery prefork worker is daemonic: it may not have children of `multiprocessing`."""
    path = write_clip(tmp_path / "drive.mp4", street(8))
    context = multiprocessing.get_context("fork")
    told: multiprocessing.Queue[int] = context.Queue()
    worker = context.Process(target=_measure_in_daemon, args=(str(path), told), daemon=True)
    worker.start()
    assert told.get(timeout=30) == 8
    worker.join(timeout=10)


def test_what_the_caller_holds_does_not_count_against_the_child(tmp_path: Path) -> None:
    """A worker grows over its life; measured by `ru_maxrss`, each of its children would start at that size."""
    path = write_clip(tmp_path / "drive.mp4", street(8))
    held = b"\x01" * (MEASURE_LIMITS.resident_bytes + 2**26)
    cost = decoding.measure_video_and_cost(path)
    assert cost.measurements.facts.frames_decoded == 8
    assert cost.peak_resident_bytes < MEASURE_LIMITS.resident_bytes < len(held)


def test_measure_video_is_cleaned_up_when_the_caller_is_interrupted(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "drive.mp4", street(40))

    before = own_children()

    def interrupt(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decoding.measure_video(path, on_progress=interrupt)
    assert own_children() == before
