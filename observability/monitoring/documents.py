"""The files of Prometheus and Grafana, written from the lists of rules and panels."""

from __future__ import annotations

import json
from typing import Any

import yaml

from observability.monitoring.panels import ROWS, DashboardPanel
from observability.monitoring.rules import GROUPS, JOB, Case, Rule, all_rules

_WRITTEN = "# Written by `manage.py write_monitoring`; change the lists in observability/monitoring/ instead.\n"
_PANEL_WIDTH, _PANEL_HEIGHT, _ACROSS = 8, 7, 3
_SOURCE = {"type": "prometheus", "uid": "${source}"}


def monitoring_files(*, target: str = "web:8000") -> dict[str, str]:
    """Return the content of each file by its path under deploy/; `target` is where Prometheus finds a web process."""
    return {
        "prometheus/prometheus.yml": _yaml(scrape_configuration(target)),
        "prometheus/rules.yml": _yaml({"groups": [_group(name) for name in GROUPS]}),
        "prometheus/rules_test.yml": _yaml(rule_tests("1m")),
        "prometheus/rules_slow_test.yml": _yaml(rule_tests("1h")),
        "grafana/claimwright.json": json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n",
    }


def scrape_configuration(target: str) -> dict[str, Any]:
    """Return Prometheus' own configuration: what it reads, how often, and the rules beside it."""
    return {
        "global": {"scrape_interval": "15s", "scrape_timeout": "10s", "evaluation_interval": "15s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": JOB, "metrics_path": "/metrics", "static_configs": [{"targets": [target]}]}],
    }


def rule_tests(step: str) -> dict[str, Any]:
    """Return promtool's unit tests in steps of a minute or an hour: each rule where it fires and where it does not."""
    cases = [(rule, case) for rule in all_rules() for case in (rule.fires, rule.quiet) if case.step == step]
    return {
        "rule_files": ["rules.yml"],
        "evaluation_interval": step,
        "tests": [_test(rule, case) for rule, case in cases],
    }


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it; it asks for the data source."""
    return {
        "uid": "claimwright",
        "title": "Claimwright",
        "tags": ["claimwright"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": _panels(),
    }


def _group(name: str) -> dict[str, Any]:
    return {"name": name, "rules": [_rule(rule) for rule in GROUPS[name]]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "expr": rule.expression,
        "for": rule.lasting,
        "labels": {"severity": rule.severity.value},
        "annotations": _annotations(rule),
    }


def _annotations(rule: Rule) -> dict[str, str]:
    return {"summary": rule.summary, "runbook": rule.runbook}


def _test(rule: Rule, case: Case) -> dict[str, Any]:
    expected = [
        {"exp_labels": {**labels, "severity": rule.severity.value}, "exp_annotations": _annotations(rule)}
        for labels in case.alerts
    ]
    return {
        "name": f"{rule.name} {'fires' if expected else 'is quiet'}",
        "interval": case.step,
        "input_series": [{"series": series, "values": values} for series, values in case.series],
        "alert_rule_test": [{"eval_time": case.at, "alertname": rule.name, "exp_alerts": expected}],
    }


def _panels() -> list[dict[str, Any]]:
    """Lay the rows out under each other, three panels across."""
    shown: list[dict[str, Any]] = []
    top = 0
    for title, panels in ROWS.items():
        place = {"h": 1, "w": _PANEL_WIDTH * _ACROSS, "x": 0, "y": top}
        shown.append({"id": len(shown) + 1, "type": "row", "title": title, "gridPos": place, "panels": []})
        top += 1
        for position, panel in enumerate(panels):
            across, down = position % _ACROSS, position // _ACROSS
            place = {
                "h": _PANEL_HEIGHT,
                "w": _PANEL_WIDTH,
                "x": across * _PANEL_WIDTH,
                "y": top + down * _PANEL_HEIGHT,
            }
            shown.append({"id": len(shown) + 1, "gridPos": place, **_panel(panel)})
        top += -(-len(panels) // _ACROSS) * _PANEL_HEIGHT
    return shown


def _panel(panel: DashboardPanel) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _SOURCE,
                "expr": line.expression,
                "legendFormat": line.legend,
            }
            for number, line in enumerate(panel.lines)
        ],
    }


def _yaml(document: dict[str, Any]) -> str:
    return _WRITTEN + yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True)
