"""The alert rules of Prometheus, each with a case in which it fires and one in which it does not.

`manage.py write_monitoring` writes them to deploy/prometheus; promtool runs the cases. Every expression reads families
of observability/metrics.py (and Prometheus' own `up`); what a rule means and what to do stands under its name in
docs/monitoring.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from observability.http_metrics import REQUESTS, SECONDS

JOB = "claimwright"
# Where the label of the view says that time or success tell nothing of the service: probes, scrapes, long transfers.
_PROBES = "health.*|metrics"
_LONG = f"{_PROBES}|claim-upload|claim-video|.*:new"
_OF = {"job": JOB, "instance": "web:8000"}


class RuleSeverity(StrEnum):
    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Case:
    """Series as promtool writes them, one value each `step`, and the labels of the alerts that fire at `at`."""

    series: Sequence[tuple[str, str]]
    at: str
    alerts: Sequence[Mapping[str, str]] = ()
    step: str = "1m"


@dataclass(frozen=True)
class Rule:
    """An alert; `lasting` is how long the expression must hold."""

    name: str
    expression: str
    lasting: str
    severity: RuleSeverity
    summary: str
    fires: Case
    quiet: Case

    @property
    def runbook(self) -> str:
        """The heading in docs/monitoring.md that tells what to do."""
        return f"docs/monitoring.md#{self.name.lower()}"


def _own(metric: str, **labels: str) -> str:
    """Return a series of this service as promtool writes it."""
    inside = ",".join(f'{name}="{value}"' for name, value in {**_OF, **labels}.items())
    return f"{metric}{{{inside}}}"


_SECONDS = f"{SECONDS}_bucket"


def _requests(per_minute: int, status: str) -> tuple[str, str]:
    return _own(REQUESTS, view="claim", method="GET", status=status), f"0+{per_minute}x30"


def _slow(share_in_time: float) -> tuple[tuple[str, str], ...]:
    """Return buckets of 100 requests a minute of which a share took at most half a second, the others five."""
    quick = int(100 * share_in_time)
    counts = {"0.5": quick, "5.0": 100, "+Inf": 100}
    return tuple((_own(_SECONDS, view="claim", le=bound), f"0+{count}x40") for bound, count in counts.items())


def _calls(ok: int, failed: int) -> tuple[tuple[str, str], ...]:
    name = "claimwright_provider_calls_total"
    return (
        (_own(name, provider="openai", outcome="ok"), f"0+{ok}x40"),
        (_own(name, provider="openai", outcome="retry"), f"0+{failed}x40"),
    )


def _call_seconds(quick: int) -> tuple[tuple[str, str], ...]:
    """Return buckets of 10 calls a minute of which some took at most 5 s, the others up to 90 s."""
    counts = {"5.0": quick, "20.0": quick, "90.0": 10, "+Inf": 10}
    name = "claimwright_provider_seconds_bucket"
    return tuple((_own(name, provider="openai", le=bound), f"0+{count}x40") for bound, count in counts.items())


def _opinions(high: int, urgent: int) -> tuple[tuple[str, str], ...]:
    return (
        (_own("claimwright_high_risk_predictions_total", reason="severity_high"), f"0+{high}x90"),
        (_own("claimwright_assessments_total", severity="HIGH", priority="URGENT"), f"0+{urgent}x90"),
    )


def _judged(low: str, high: str, labels: int) -> tuple[tuple[str, str], ...]:
    return (
        (_own("claimwright_model_coverage", bound="low"), low),
        (_own("claimwright_model_coverage", bound="high"), high),
        (_own("claimwright_model_coverage_target"), "0.9x90"),
        (_own("claimwright_model_labels"), f"{labels}x90"),
    )


def _accuracy(now: str, labels: int) -> tuple[tuple[str, str], ...]:
    # Eight days of hours at 0.8, then six hours of what it is now.
    return (
        (_own("claimwright_model_accuracy"), f"0.8x191 {now}x6"),
        (_own("claimwright_model_labels"), f"{labels}x198"),
    )


def _tokens(now: int) -> tuple[tuple[str, str], ...]:
    """Return 30 hours of 60,000 tokens each, then four hours of something else."""
    before = 60_000 * 30
    values = f"0+60000x30 {before + now}+{now}x3"
    return ((_own("claimwright_provider_tokens_total", provider="openai", direction="input"), values),)


SERVICE_RULES = (
    Rule(
        "ServiceDown",
        f'up{{job="{JOB}"}} == 0',
        "1m",
        RuleSeverity.CRITICAL,
        "Prometheus cannot read a web process.",
        Case([(_own("up"), "1x2 0x10")], "6m", [_OF]),
        Case([(_own("up"), "1x2 0x0 1x10")], "6m"),
    ),
    Rule(
        "HighErrorRate",
        f'sum(rate({REQUESTS}{{status=~"5..",view!~"{_PROBES}"}}[5m]))'
        f' / sum(rate({REQUESTS}{{view!~"{_PROBES}"}}[5m])) > 0.05',
        "5m",
        RuleSeverity.CRITICAL,
        "More than one request in twenty fails on our side.",
        Case([_requests(90, "200"), _requests(10, "500")], "20m", [{}]),
        Case([_requests(97, "200"), _requests(3, "500"), _requests(40, "404")], "20m"),
    ),
    Rule(
        "DatabaseFailure",
        'claimwright_scrape_source_up{source="claimwright_jobs"} == 0',
        "1m",
        RuleSeverity.CRITICAL,
        "The web processes cannot read the database.",
        Case(
            [(_own("claimwright_scrape_source_up", source="claimwright_jobs"), "1x2 0x10")],
            "6m",
            [{**_OF, "source": "claimwright_jobs"}],
        ),
        Case([(_own("claimwright_scrape_source_up", source="claimwright_jobs"), "1x10")], "6m"),
    ),
    Rule(
        "HighLatency",
        f'histogram_quantile(0.95, sum by (le) (rate({_SECONDS}{{view!~"{_LONG}"}}[5m]))) > 1',
        "10m",
        RuleSeverity.ERROR,
        "One request in twenty takes longer than a second.",
        Case(_slow(0.9), "30m", [{}]),
        Case(_slow(0.99), "30m"),
    ),
    Rule(
        "QueueBacklog",
        "claimwright_oldest_waiting_job_seconds > 300",
        "5m",
        RuleSeverity.ERROR,
        "A job that is due has waited for more than five minutes.",
        Case([(_own("claimwright_oldest_waiting_job_seconds"), "0+60x30")], "15m", [_OF]),
        Case([(_own("claimwright_oldest_waiting_job_seconds"), "290x30")], "15m"),
    ),
    Rule(
        "CircuitBreakerOpen",
        'claimwright_circuit_breaker_state{state="OPEN"} == 1',
        "2m",
        RuleSeverity.WARNING,
        "A dependency fails so often that it is not called.",
        Case(
            [(_own("claimwright_circuit_breaker_state", breaker="openai", state="OPEN"), "0x2 1x10")],
            "8m",
            [{**_OF, "breaker": "openai", "state": "OPEN"}],
        ),
        Case([(_own("claimwright_circuit_breaker_state", breaker="openai", state="OPEN"), "0x2 1x0 0x10")], "8m"),
    ),
    Rule(
        "WorkersMissing",
        "claimwright_workers_alive == 0",
        "1m",
        RuleSeverity.CRITICAL,
        "No worker is alive: claims are taken in and none is assessed.",
        Case([(_own("claimwright_workers_alive"), "1x2 0x10")], "6m", [_OF]),
        Case([(_own("claimwright_workers_alive"), "1x10")], "6m"),
    ),
    Rule(
        "DeadLetters",
        "sum by (kind) (claimwright_dead_letters) > 0",
        "1m",
        RuleSeverity.WARNING,
        "Jobs have spent their attempts and wait for a person.",
        Case(
            [(_own("claimwright_dead_letters", kind="claims.assess"), "0x2 1x10")],
            "6m",
            [{"kind": "claims.assess"}],
        ),
        Case([(_own("claimwright_dead_letters", kind="claims.assess"), "1x2 0x10")], "6m"),
    ),
)

RESOURCE_RULES = (
    Rule(
        "MemoryHigh",
        "sum without (role) (claimwright_process_memory_bytes) / claimwright_memory_limit_bytes > 0.9",
        "5m",
        RuleSeverity.ERROR,
        "The processes use more than nine tenths of the machine's memory.",
        Case(
            [
                (_own("claimwright_process_memory_bytes", role="web"), "500x20"),
                (_own("claimwright_process_memory_bytes", role="worker"), "450x20"),
                (_own("claimwright_memory_limit_bytes"), "1000x20"),
            ],
            "10m",
            [_OF],
        ),
        Case(
            [
                (_own("claimwright_process_memory_bytes", role="worker"), "850x20"),
                (_own("claimwright_memory_limit_bytes"), "1000x20"),
            ],
            "10m",
        ),
    ),
    Rule(
        "DiskNearlyFull",
        "claimwright_disk_free_bytes / claimwright_disk_size_bytes < 0.1",
        "5m",
        RuleSeverity.ERROR,
        "Less than a tenth of the disk with the videos is free.",
        Case(
            [(_own("claimwright_disk_free_bytes"), "90x20"), (_own("claimwright_disk_size_bytes"), "1000x20")],
            "10m",
            [_OF],
        ),
        Case(
            [(_own("claimwright_disk_free_bytes"), "110x20"), (_own("claimwright_disk_size_bytes"), "1000x20")], "10m"
        ),
    ),
    Rule(
        "DatabaseConnectionsHigh",
        "sum without (state) (claimwright_database_connections) / claimwright_database_connections_limit > 0.8",
        "5m",
        RuleSeverity.WARNING,
        "More than four fifths of the database server's connections are taken.",
        Case(
            [
                (_own("claimwright_database_connections", state="active"), "20x20"),
                (_own("claimwright_database_connections", state="idle"), "70x20"),
                (_own("claimwright_database_connections_limit"), "100x20"),
            ],
            "10m",
            [_OF],
        ),
        Case(
            [
                (_own("claimwright_database_connections", state="idle"), "70x20"),
                (_own("claimwright_database_connections_limit"), "100x20"),
            ],
            "10m",
        ),
    ),
    Rule(
        "CacheFailing",
        'sum(increase(claimwright_cache_operations_total{outcome="failed"}[5m])) > 10',
        "5m",
        RuleSeverity.WARNING,
        "The cache does not answer; pages work and are slower.",
        Case([(_own("claimwright_cache_operations_total", operation="get", outcome="failed"), "0+5x20")], "15m", [{}]),
        Case([(_own("claimwright_cache_operations_total", operation="get", outcome="miss"), "0+50x20")], "15m"),
    ),
)

MODEL_RULES = (
    Rule(
        "ModelAccuracyDrop",
        "(claimwright_model_accuracy offset 7d) - claimwright_model_accuracy > 0.1 and claimwright_model_labels >= 30",
        "1h",
        RuleSeverity.ERROR,
        "People agree with the model's severity a tenth less often than a week ago.",
        Case(_accuracy("0.65", 40), "195h", [_OF], step="1h"),
        Case(_accuracy("0.75", 40), "195h", step="1h"),
    ),
    Rule(
        "ModelCoverageBelowTarget",
        'claimwright_model_coverage{bound="high"} < ignoring (bound) claimwright_model_coverage_target'
        " and ignoring (bound) claimwright_model_labels >= 30",
        "10m",
        RuleSeverity.ERROR,
        "The prediction sets hold the truth less often than promised, and it is hardly chance.",
        Case(_judged("0.7x90", "0.85x90", 60), "30m", [_OF]),
        Case(_judged("0.7x90", "0.85x90", 20), "30m"),
    ),
    Rule(
        "HighRiskPredictions",
        "max(sum by (reason) (increase(claimwright_high_risk_predictions_total[1h])))"
        " / sum(increase(claimwright_assessments_total[1h])) > 0.5"
        " and sum(increase(claimwright_assessments_total[1h])) > 20",
        "5m",
        RuleSeverity.WARNING,
        "More than half of the last hour's opinions say high risk.",
        Case(_opinions(high=1, urgent=1), "80m", [{}]),
        Case(_opinions(high=1, urgent=3), "80m"),
    ),
    Rule(
        "ProviderSlow",
        "histogram_quantile(0.95, sum by (le, provider) (rate(claimwright_provider_seconds_bucket[10m]))) > 20",
        "10m",
        RuleSeverity.WARNING,
        "One call in twenty to a model provider takes longer than 20 seconds.",
        Case(_call_seconds(8), "30m", [{"provider": "openai"}]),
        Case(_call_seconds(10), "30m"),
    ),
    Rule(
        "ProviderFailing",
        'sum by (provider) (rate(claimwright_provider_calls_total{outcome=~"retry|next|fatal"}[10m]))'
        ' / sum by (provider) (rate(claimwright_provider_calls_total{outcome=~"ok|retry|next|fatal"}[10m])) > 0.3',
        "10m",
        RuleSeverity.WARNING,
        "Three calls in ten to a model provider fail.",
        Case(_calls(5, 5), "30m", [{"provider": "openai"}]),
        Case(_calls(9, 1), "30m"),
    ),
    Rule(
        "TokenUseHigh",
        "sum(increase(claimwright_provider_tokens_total[1h]))"
        " > 3 * sum(increase(claimwright_provider_tokens_total[1d] offset 1h)) / 24"
        " and sum(increase(claimwright_provider_tokens_total[1h])) > 100000",
        "5m",
        RuleSeverity.WARNING,
        "The last hour used more than three times the tokens of a usual one.",
        Case(_tokens(300_000), "33h", [{}], step="1h"),
        Case(_tokens(120_000), "33h", step="1h"),
    ),
)

ACCESS_RULES = (
    Rule(
        "AuthenticationFailures",
        "sum(increase(claimwright_authentication_failures_total[5m]))"
        ' + sum(increase(claimwright_sign_ins_total{outcome=~"failed|refused"}[5m])) > 50',
        "0m",
        RuleSeverity.ERROR,
        "Many credentials are refused: someone guesses, or a program has lost its key.",
        Case(
            [
                (_own("claimwright_authentication_failures_total", code="invalid_credential"), "0+10x20"),
                (_own("claimwright_sign_ins_total", outcome="failed"), "0+5x20"),
            ],
            "10m",
            [{}],
        ),
        Case(
            [
                (_own("claimwright_authentication_failures_total", code="invalid_credential"), "0+2x20"),
                (_own("claimwright_sign_ins_total", outcome="failed"), "0+1x20"),
                (_own("claimwright_sign_ins_total", outcome="ok"), "0+100x20"),
            ],
            "10m",
        ),
    ),
    Rule(
        "UnauthorisedAccess",
        "sum(increase(claimwright_refused_access_total[5m])) > 50",
        "0m",
        RuleSeverity.ERROR,
        "Known people or programs ask again and again for what they may not do.",
        Case([(_own("claimwright_refused_access_total", code="permission_denied"), "0+20x20")], "10m", [{}]),
        Case([(_own("claimwright_refused_access_total", code="permission_denied"), "0+2x20")], "10m"),
    ),
)

GROUPS: Mapping[str, Sequence[Rule]] = {
    "claimwright-service": SERVICE_RULES,
    "claimwright-resources": RESOURCE_RULES,
    "claimwright-models": MODEL_RULES,
    "claimwright-access": ACCESS_RULES,
}


def all_rules() -> tuple[Rule, ...]:
    return tuple(rule for rules in GROUPS.values() for rule in rules)
