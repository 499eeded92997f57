"""The panels of the Grafana dashboard, row by row; `manage.py write_monitoring` writes them to deploy/grafana."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from observability.http_metrics import REQUESTS, SECONDS
from observability.monitoring.rules import JOB

_ASKED = 'view!~"health.*|metrics"'


@dataclass(frozen=True)
class Line:
    """One expression of a panel; `legend` names its labels in double braces."""

    expression: str
    legend: str


@dataclass(frozen=True)
class DashboardPanel:
    """`unit` is Grafana's name of it; `description` says what a person should think of it."""

    title: str
    description: str
    unit: str
    lines: Sequence[Line]


def _quantile(share: float, family: str, *labels: str, where: str = "") -> str:
    by = ", ".join(("le", *labels))
    return f"histogram_quantile({share}, sum by ({by}) (rate({family}_bucket{where}[5m])))"


ROWS: dict[str, Sequence[DashboardPanel]] = {
    "Service": (
        DashboardPanel(
            "Up",
            "1 while Prometheus can read the web processes.",
            "short",
            [Line(f'up{{job="{JOB}"}}', "{{instance}}")],
        ),
        DashboardPanel(
            "Request rate",
            "Requests a second by status, probes and scrapes apart.",
            "reqps",
            [Line(f"sum by (status) (rate({REQUESTS}{{{_ASKED}}}[5m]))", "{{status}}")],
        ),
        DashboardPanel(
            "Error rate",
            "Share of requests that failed on our side. HighErrorRate fires above 5 %.",
            "percentunit",
            [
                Line(
                    f'(sum(rate({REQUESTS}{{status=~"5..",{_ASKED}}}[5m])) or vector(0))'
                    f" / sum(rate({REQUESTS}{{{_ASKED}}}[5m]))",
                    "5xx",
                )
            ],
        ),
        DashboardPanel(
            "Latency",
            "Half of the requests, and 19 of 20, are answered within these times.",
            "s",
            [
                Line(_quantile(0.5, SECONDS, where=f"{{{_ASKED}}}"), "median"),
                Line(_quantile(0.95, SECONDS, where=f"{{{_ASKED}}}"), "95 %"),
            ],
        ),
        DashboardPanel(
            "Errors by code",
            "What fails, in requests and in jobs.",
            "short",
            [Line("topk(10, sum by (place, code) (increase(claimwright_errors_total[5m])))", "{{place}} {{code}}")],
        ),
        DashboardPanel(
            "Open alerts",
            "What the product itself has to tell a person; each process reads the same rows. The desk lists them.",
            "short",
            [Line("max by (severity) (claimwright_alerts_open)", "{{severity}}")],
        ),
        DashboardPanel(
            "Firing rules",
            "Prometheus' own rules that fire now.",
            "short",
            [Line('count by (alertname, severity) (ALERTS{alertstate="firing"})', "{{alertname}} ({{severity}})")],
        ),
    ),
    "Jobs": (
        DashboardPanel(
            "Active pipelines",
            "Jobs at work now.",
            "short",
            [Line('sum by (kind) (claimwright_jobs{state="RUNNING"})', "{{kind}}")],
        ),
        DashboardPanel(
            "Queue depth",
            "Jobs that wait or are dead.",
            "short",
            [Line('sum by (kind, state) (claimwright_jobs{state!="RUNNING"})', "{{kind}} {{state}}")],
        ),
        DashboardPanel(
            "Oldest waiting job",
            "A due job normally starts within seconds. QueueBacklog fires above 300 s.",
            "s",
            [Line("claimwright_oldest_waiting_job_seconds", "waiting")],
        ),
        DashboardPanel(
            "Workers",
            "Worker processes with a fresh heartbeat.",
            "short",
            [Line("claimwright_workers_alive", "alive")],
        ),
        DashboardPanel(
            "Attempts at jobs",
            "How attempts ended, a minute.",
            "short",
            [Line("60 * sum by (kind, outcome) (rate(claimwright_jobs_ended_total[5m]))", "{{kind}} {{outcome}}")],
        ),
        DashboardPanel(
            "Pipeline stages",
            "19 of 20 claims pass a stage within this time.",
            "s",
            [Line(_quantile(0.95, "claimwright_pipeline_stage_seconds", "stage"), "{{stage}}")],
        ),
    ),
    "Models": (
        DashboardPanel(
            "Model accuracy",
            "Share of blind labels that agree, and how often the prediction sets held them, with its interval.",
            "percentunit",
            [
                Line("claimwright_model_accuracy", "accuracy"),
                Line("claimwright_model_coverage", "coverage {{bound}}"),
                Line("claimwright_model_coverage_target", "coverage promised"),
            ],
        ),
        DashboardPanel(
            "Risk distribution",
            "Severities of the opinions of the last hour.",
            "short",
            [Line("sum by (severity) (increase(claimwright_assessments_total[1h]))", "{{severity}}")],
        ),
        DashboardPanel(
            "High-risk predictions",
            "Opinions of the last hour that say high risk, by reason; median fraud score beside it.",
            "short",
            [
                Line("sum by (reason) (increase(claimwright_high_risk_predictions_total[1h]))", "{{reason}}"),
                Line(
                    "histogram_quantile(0.5, sum by (le) (rate(claimwright_fraud_risk_score_bucket[1h])))",
                    "fraud score",
                ),
            ],
        ),
        DashboardPanel(
            "Provider calls",
            "Calls a minute to each model provider by outcome.",
            "short",
            [
                Line(
                    "60 * sum by (provider, outcome) (rate(claimwright_provider_calls_total[5m]))",
                    "{{provider}} {{outcome}}",
                )
            ],
        ),
        DashboardPanel(
            "Provider failures",
            "Calls that failed within the last hour, by code.",
            "short",
            [
                Line(
                    "sum by (provider, code) (increase(claimwright_provider_failures_total[1h]))",
                    "{{provider}} {{code}}",
                )
            ],
        ),
        DashboardPanel(
            "Provider latency",
            "19 of 20 calls answer within this time.",
            "s",
            [Line(_quantile(0.95, "claimwright_provider_seconds", "provider"), "{{provider}}")],
        ),
        DashboardPanel(
            "Tokens and money",
            "Tokens and US dollars of the last hour.",
            "short",
            [
                Line(
                    "sum by (provider, direction) (increase(claimwright_provider_tokens_total[1h]))",
                    "{{provider}} {{direction}}",
                ),
                Line("sum by (provider) (increase(claimwright_provider_cost_usd_total[1h]))", "{{provider}} $"),
            ],
        ),
    ),
    "What it stands on": (
        DashboardPanel(
            "Circuit breakers",
            "1 for a breaker that is not closed.",
            "short",
            [Line('claimwright_circuit_breaker_state{state!="CLOSED"}', "{{breaker}} {{state}}")],
        ),
        DashboardPanel(
            "Database connections",
            "By state, and how many the server takes (PostgreSQL only).",
            "short",
            [
                Line("claimwright_database_connections", "{{state}}"),
                Line("claimwright_database_connections_limit", "limit"),
            ],
        ),
        DashboardPanel(
            "Database statements",
            "19 of 20 statements end within this time; errors of the last five minutes.",
            "s",
            [
                Line(_quantile(0.95, "claimwright_database_seconds", "operation"), "{{operation}}"),
                Line("sum(increase(claimwright_database_errors_total[5m]))", "errors"),
            ],
        ),
        DashboardPanel(
            "Cache",
            "Uses a second by outcome.",
            "ops",
            [
                Line(
                    "sum by (operation, outcome) (rate(claimwright_cache_operations_total[5m]))",
                    "{{operation}} {{outcome}}",
                )
            ],
        ),
        DashboardPanel(
            "Memory",
            "Resident memory by role, and what there is.",
            "bytes",
            [
                Line("claimwright_process_memory_bytes", "{{role}}"),
                Line("claimwright_memory_limit_bytes", "limit"),
            ],
        ),
        DashboardPanel(
            "Processor",
            "Processors in use by role.",
            "short",
            [Line("rate(claimwright_process_cpu_seconds[5m])", "{{role}}")],
        ),
        DashboardPanel(
            "Disk", "Room left where videos are stored.", "bytes", [Line("claimwright_disk_free_bytes", "free")]
        ),
        DashboardPanel(
            "Refused",
            "Refused credentials and refused access, a minute.",
            "short",
            [
                Line(
                    "60 * sum by (code) (rate(claimwright_authentication_failures_total[5m]))", "credential: {{code}}"
                ),
                Line("60 * sum by (code) (rate(claimwright_refused_access_total[5m]))", "access: {{code}}"),
            ],
        ),
        DashboardPanel(
            "Reviews",
            "Claims that await a person, and those past their due time.",
            "short",
            [
                Line("claimwright_open_reviews", "open {{priority}}"),
                Line("claimwright_overdue_reviews", "overdue {{priority}}"),
            ],
        ),
    ),
}


def all_panels() -> tuple[DashboardPanel, ...]:
    return tuple(panel for panels in ROWS.values() for panel in panels)
