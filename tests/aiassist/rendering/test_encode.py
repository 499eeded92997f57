"""The file: what a player finds in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aiassist.rendering.encode import render_clip
from aiassist.rendering.film import film_frames, truth_of
from aiassist.rendering.scenario import ClipKind
from aiassist.rendering.sound import SAMPLE_HZ
from tests.aiassist.rendering.clips import played, small


def test_render_clip_writes_a_playable_file_and_returns_its_truth(tmp_path: Path) -> None:
    spec = small(ClipKind.REAR_END, delta_v_kmh=20.0)
    shares: list[float] = []
    truth = render_clip(spec, tmp_path / "clip.mp4", on_progress=shares.append)
    assert truth == truth_of(spec)
    film = played(tmp_path / "clip.mp4")
    assert (film.codec, film.sound_codec) == ("h264", "aac")
    assert (len(film.frames), film.frames[0].shape) == (20, (180, 320, 3))
    assert film.fps == 10
    assert film.keyframes >= 2  # about one a second
    assert film.sound is not None
    assert len(film.sound) / SAMPLE_HZ == pytest.approx(2.0, abs=0.1)
    assert (shares[0], shares[-1], len(shares)) == (1 / 20, 1.0, 20)
    drawn = next(film_frames(spec)).astype(int)
    assert np.abs(film.frames[0].astype(int) - drawn).mean() < 6.0


def test_render_clip_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    spec = small(ClipKind.NEAR_MISS)
    for name in ("one.mp4", "two.mp4"):
        render_clip(spec, tmp_path / name)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_render_clip_can_be_silent_and_starts_at_once(tmp_path: Path) -> None:
    render_clip(small(ClipKind.BLACK, sound=False), tmp_path / "black.mp4")
    assert played(tmp_path / "black.mp4").sound is None
    data = (tmp_path / "black.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")  # the index comes first, so that a browser can seek at once


def test_render_clip_puts_the_bang_where_the_impact_is_seen(tmp_path: Path) -> None:
    spec = small(ClipKind.REAR_END, delta_v_kmh=35.0)
    render_clip(spec, tmp_path / "clip.mp4")
    sound = played(tmp_path / "clip.mp4").sound
    assert sound is not None
    assert int(np.argmax(np.abs(sound))) / SAMPLE_HZ == pytest.approx(1.2, abs=0.12)
