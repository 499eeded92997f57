"""The real Prometheus reads a running server and can evaluate every panel and every rule."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from observability.monitoring.panels import all_panels
from observability.monitoring.rules import all_rules
from tests.observability.test_monitoring_files import EXPRESSIONS, families_in
from tests.processes import answers, free_port, own_site, read, wait_until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed (Debian: prometheus)"),
]


@contextmanager
def prometheus(folder: Path, configuration: Path) -> Iterator[str]:
    """Run Prometheus on the configuration, with its own data folder; give its address."""
    url = f"http://127.0.0.1:{free_port()}"
    address = urllib.parse.urlsplit(url).netloc
    command = ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
        try:
            wait_until(lambda: answers(f"{url}/-/ready"), "Prometheus is ready", seconds=30)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


def query(url: str, expression: str) -> list[Any]:
    """Return what an expression gives now; an error of Prometheus fails the test."""
    answer = json.loads(read(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"))
    assert answer["status"] == "success", (expression, answer)
    result: list[Any] = answer["data"]["result"]
    return result


def test_a_real_prometheus_reads_the_server_and_evaluates_everything(tmp_path: Path) -> None:
    site_folder, configured = tmp_path / "site", tmp_path / "deploy"
    site_folder.mkdir()
    with own_site(site_folder) as site:
        site.manage("collectstatic", "--noinput", "-v0")
        web = site.start_server(workers=2)
        worker = site.start_worker(concurrency=1)
        target = urllib.parse.urlsplit(web.url).netloc
        site.manage("write_monitoring", "--to", str(configured), "--target", target)
        configuration = configured / "prometheus/prometheus.yml"
        configuration.write_text(configuration.read_text().replace("15s", "1s").replace("10s", "1s"))
        assert answers(f"{web.url}/sign-in/")
        live = read(f"{web.url}/metrics")
        with prometheus(tmp_path, configuration) as url:
            wait_until(
                lambda: any(series["value"][1] == "1" for series in query(url, "up")),
                "a scrape succeeded",
                seconds=30,
                log=lambda: (tmp_path / "prometheus.log").read_text() + worker.output(),
            )
            for expression in EXPRESSIONS:
                query(url, expression)
            wait_until(lambda: query(url, "claimwright_workers_alive == 1"), "it sees the worker", seconds=20)
            loaded = json.loads(read(f"{url}/api/v1/rules"))["data"]["groups"]
            seconds = float(query(url, "max(scrape_duration_seconds)")[0]["value"][1])
    told = {line.split()[2] for line in live.splitlines() if line.startswith("# TYPE ")}
    wanted = {family for expression in EXPRESSIONS for family in families_in(expression)} - {"up", "ALERTS"}
    assert wanted - told == set()
    rules = {rule["name"]: rule for group in loaded for rule in group["rules"]}
    assert set(rules) == {rule.name for rule in all_rules()}
    assert [name for name, rule in rules.items() if rule.get("lastError")] == []
    assert len(all_panels()) >= 11
    assert seconds < 2.0  # a busy machine; benchmarks/telemetry.py measures it
