"""Rules and dashboard: the committed files are what the lists say, promtool agrees, and all that they name is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from observability import http_metrics, metrics
from observability.monitoring.documents import monitoring_files
from observability.monitoring.panels import all_panels
from observability.monitoring.rules import all_rules
from tests.house.source import ROOT

DEPLOY = ROOT / "deploy"
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)
# What O11 and O12 ask for, by the rule that answers it.
ASKED = {
    "service down": "ServiceDown", "error rate": "HighErrorRate", "database failure": "DatabaseFailure",
    "latency": "HighLatency", "backlog": "QueueBacklog", "breaker open": "CircuitBreakerOpen", "memory": "MemoryHigh",
    "accuracy drop": "ModelAccuracyDrop", "high-risk predictions": "HighRiskPredictions",
    "dead letters": "DeadLetters", "authentication failures": "AuthenticationFailures",
    "unauthorised access": "UnauthorisedAccess", "cache": "CacheFailing", "disk": "DiskNearlyFull",
    "database connections": "DatabaseConnectionsHigh", "provider latency": "ProviderSlow",
    "provider failures": "ProviderFailing", "token use": "TokenUseHigh",
}  # fmt: skip
_METRIC = re.compile(r"\b(?:claimwright_\w+|django_\w+|up|ALERTS)\b")
_ENDINGS = re.compile(r"_(?:bucket|sum|count)$")


def families_in(expression: str) -> set[str]:
    """Return the families that an expression reads, without the endings of histograms and without quoted words."""
    plain = re.sub(r'"[^"]*"', '""', expression)
    return {_ENDINGS.sub("", name) if _ENDINGS.sub("", name) in KNOWN else name for name in _METRIC.findall(plain)}


KNOWN = {*metrics.own_families(), http_metrics.REQUESTS, http_metrics.SECONDS, "up", "ALERTS"}
EXPRESSIONS = [rule.expression for rule in all_rules()] + [
    line.expression for panel in all_panels() for line in panel.lines
]


@pytest.mark.parametrize("name", sorted(monitoring_files()))
def test_the_committed_file_is_the_written_one(name: str) -> None:
    assert (DEPLOY / name).read_text(encoding="utf-8") == monitoring_files()[name], "run manage.py write_monitoring"


def test_the_command_writes_them_and_tells_what_differs(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"rules\.yml"):
        call_command("write_monitoring", to=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []
    call_command("write_monitoring", to=tmp_path, target="10.0.0.5:8000")
    call_command("write_monitoring", to=tmp_path, target="10.0.0.5:8000", check=True)
    scraped = yaml.safe_load((tmp_path / "prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    assert scraped["static_configs"] == [{"targets": ["10.0.0.5:8000"]}]


def test_every_asked_rule_is_there_once() -> None:
    names = [rule.name for rule in all_rules()]
    assert len(names) == len(set(names))
    assert set(ASKED.values()) <= set(names)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_reads_families_that_exist(expression: str) -> None:
    found = families_in(expression)
    assert found and found <= KNOWN, found - KNOWN


def test_every_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    assert [rule.name for rule in all_rules() if not rule.fires.alerts or rule.quiet.alerts] == []


def test_every_rule_leads_to_a_heading_that_tells_what_to_do() -> None:
    page = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL))
    for rule in all_rules():
        path, _, anchor = rule.runbook.partition("#")
        assert path == "docs/monitoring.md"
        (heading,) = (name for name in sections if name.lower() == anchor)
        assert heading == rule.name
        assert len(sections[heading].split()) > 30, f"{heading} says too little"


def test_the_commands_of_the_page_exist() -> None:
    from django.core.management import get_commands

    page = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    named = set(re.findall(r"manage\.py (\w+)", page))
    assert named and named <= set(get_commands()), named - set(get_commands())


def test_the_dashboard_has_every_panel_side_by_side() -> None:
    board = json.loads(monitoring_files()["grafana/claimwright.json"])
    shown = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert [panel["title"] for panel in shown] == [panel.title for panel in all_panels()]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24
        taken |= cells


def test_the_dashboard_shows_open_alerts_by_severity() -> None:
    [panel] = [panel for panel in all_panels() if panel.title == "Open alerts"]
    assert [families_in(line.expression) for line in panel.lines] == [{"claimwright_alerts_open"}]
    assert panel.lines[0].legend == "{{severity}}" and "severity" in metrics.ALERTS_OPEN.labels


@needs_promtool
def test_promtool_finds_nothing_wrong_with_rules_and_configuration(tmp_path: Path) -> None:
    call_command("write_monitoring", to=tmp_path)
    folder = tmp_path / "prometheus"
    for arguments in (["check", "rules", "rules.yml"], ["check", "config", "prometheus.yml"]):
        done = subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_sees_every_rule_fire_and_keep_quiet(tmp_path: Path) -> None:
    call_command("write_monitoring", to=tmp_path)
    files = ["rules_test.yml", "rules_slow_test.yml"]
    done = subprocess.run(
        ["promtool", "test", "rules", *files], cwd=tmp_path / "prometheus", capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = [case for file in files for case in yaml.safe_load((tmp_path / "prometheus" / file).read_text())["tests"]]
    assert len(cases) == 2 * len(all_rules())


@needs_promtool
def test_promtool_would_notice_a_rule_that_never_fires(tmp_path: Path) -> None:
    call_command("write_monitoring", to=tmp_path)
    rules = tmp_path / "prometheus/rules.yml"
    rules.write_text(rules.read_text().replace("claimwright_workers_alive == 0", "claimwright_workers_alive == 7"))
    done = subprocess.run(
        ["promtool", "test", "rules", "rules_test.yml"], cwd=rules.parent, capture_output=True, text=True, timeout=120
    )
    assert done.returncode != 0 and "WorkersMissing" in done.stdout + done.stderr
