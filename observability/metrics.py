"""Every metric of the project's own; requests are counted by django-prometheus (http_metrics.py).

Labels come from closed lists: never a tenant, a person, a claim, a path or a message.

A tenant label made 34,013 lines and a scrape of 1.31 s at 200 tenants; without it 693 lines and 0.02 s.
Counters and histograms add up over all processes through the multiprocess folder; what the database knows (queue depth,
workers alive) is read there at scrape time, because a gauge per process would count dead ones too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_JOB_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
_STATEMENT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0)
_CALL_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0, 90.0)

# refused: its input; given_up: no retry would help; released: the worker was stopped; waits: what it needs is away
JOB_OUTCOMES = ("succeeded", "refused", "retried", "given_up", "released", "waits", "lease_lost", "dead")
JOBS_ENDED = Counter("claimwright_jobs_ended_total", "Attempts at jobs by how they ended.", ["kind", "outcome"])
JOB_SECONDS = Histogram("claimwright_job_seconds", "Duration of one attempt.", ["kind"], buckets=_JOB_BUCKETS)
# stage: the stages of the assessment pipeline (aiassist.types)
STAGE_SECONDS = Histogram(
    "claimwright_pipeline_stage_seconds", "Duration of a pipeline stage.", ["stage"], buckets=_JOB_BUCKETS
)
# outcome: accepted, duplicate, or the code of the refusal
UPLOADS = Counter("claimwright_uploads_total", "Video uploads by outcome.", ["outcome"])
UPLOAD_BYTES = Counter("claimwright_upload_bytes_total", "Bytes of videos that were handed in and taken.")
# kind: APPROVE, REJECT, REQUEST_MORE_INFO
DECISIONS = Counter("claimwright_decisions_total", "Decisions of people by kind.", ["kind"])
# provider: the links of the chain; retry, next, fatal: it failed, and what the chain did then
PROVIDER_OUTCOMES = ("ok", "retry", "next", "fatal", "not_asked", "cached")
PROVIDER_CALLS = Counter(
    "claimwright_provider_calls_total", "Calls to model providers by outcome.", ["provider", "outcome"]
)
# code: of the refusal or failure (aiassist/gateway/refusals.py, sdk_calls.py)
PROVIDER_FAILURES = Counter(
    "claimwright_provider_failures_total", "Calls to model providers that failed, by code.", ["provider", "code"]
)
PROVIDER_SECONDS = Histogram(
    "claimwright_provider_seconds", "Duration of one provider call.", ["provider"], buckets=_CALL_BUCKETS
)
# kind and severity: the closed lists of observability/incidents
INCIDENTS = Counter("claimwright_incidents_total", "Incidents opened.", ["kind", "severity"])
# action: the registered ones, or by_hand; outcome: DONE, FAILED, SKIPPED
INCIDENT_STEPS = Counter(
    "claimwright_incident_steps_total", "Steps of runbooks by how they ended.", ["action", "outcome"]
)
# direction: input, output
PROVIDER_TOKENS = Counter("claimwright_provider_tokens_total", "Tokens by provider.", ["provider", "direction"])
PROVIDER_COST = Counter("claimwright_provider_cost_usd_total", "US dollars spent by provider.", ["provider"])
# category: the ledger's (tenancy.choices.CostCategory)
SPEND = Counter("claimwright_spend_usd_total", "US dollars written to the ledger by category.", ["category"])
BUDGET_REFUSALS = Counter("claimwright_budget_refusals_total", "Calls that a budget had no room for.")
# breaker: the registered ones; state: the one entered
BREAKER_CHANGES = Counter(
    "claimwright_circuit_breaker_changes_total",
    "Changes of circuit breakers by the state entered.",
    ["breaker", "state"],
)
# fallback: the registered ones (observability/fallbacks.py)
FALLBACKS_USED = Counter("claimwright_fallbacks_used_total", "What was done in place of what was away.", ["fallback"])
# outcome: ok, or the code of the failure (observability/outbound/transport.py, tenancy/webhooks/sending.py)
WEBHOOK_ATTEMPTS = Counter("claimwright_webhook_attempts_total", "Tries to send a webhook by outcome.", ["outcome"])
WEBHOOK_SECONDS = Histogram(
    "claimwright_webhook_seconds", "Duration of one try to send a webhook.", buckets=_CALL_BUCKETS
)
# outcome: delivered, failed, cancelled
WEBHOOK_DELIVERIES = Counter("claimwright_webhook_deliveries_total", "Webhook deliveries by their end.", ["outcome"])
# bucket: default, run, session, media, tenant, form; outcome: granted, refused, not_counted (the store is away)
RATE_LIMITED = Counter(
    "claimwright_rate_limited_requests_total", "Requests by what the rate limits said.", ["bucket", "outcome"]
)
# refused: too many attempts; closed: attempts cannot be counted now
SIGN_IN_OUTCOMES = ("ok", "failed", "refused", "closed")
SIGN_INS = Counter("claimwright_sign_ins_total", "Attempts to sign in by outcome.", ["outcome"])
# quota: assessments, storage
QUOTA_REFUSALS = Counter("claimwright_quota_refusals_total", "Work refused for a tenant's quota.", ["quota"])
AUDIT_SEAL_SECONDS = Histogram(
    "claimwright_audit_seal_seconds",
    "How long the oldest event of a seal had waited for it.",
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0),
)
# event, severity: the closed lists of observability/alerts/choices.py
ALERTS_OPENED = Counter("claimwright_alerts_opened_total", "Alerts that opened.", ["event", "severity"])
# channel: pagerduty, slack; outcome: told, suppressed, failed, retried, breaker_open
ALERT_TELLINGS = Counter(
    "claimwright_alert_tellings_total", "Tries to tell a channel of an alert, by outcome.", ["channel", "outcome"]
)
# watcher: the registered ones
WATCHER_FAILURES = Counter("claimwright_watcher_failures_total", "Looks of watchers that failed.", ["watcher"])
TIMER_RUNS = Counter("claimwright_timer_runs_total", "Runs of periodic work by outcome.", ["timer", "outcome"])
TIMER_OUTCOMES = ("ok", "failed")
DATABASE_OPERATIONS = ("select", "insert", "update", "delete", "other")
DATABASE_SECONDS = Histogram(
    "claimwright_database_seconds", "Duration of one statement.", ["operation"], buckets=_STATEMENT_BUCKETS
)
# The classes of django.db errors that tell of a server that is away or busy; others come with their first event.
DATABASE_ERROR_KINDS = ("OperationalError", "InterfaceError", "IntegrityError", "DataError", "ProgrammingError")
DATABASE_ERRORS = Counter("claimwright_database_errors_total", "Statements that failed, by kind of error.", ["kind"])
DATABASE_CONNECTIONS_OPENED = Counter("claimwright_database_connections_opened_total", "Connections that were opened.")
# outcome: hit, miss (of get), ok (of set, add, delete), failed
CACHE_OPERATIONS = Counter(
    "claimwright_cache_operations_total", "Uses of the cache by outcome.", ["operation", "outcome"]
)
CACHE_SECONDS = Histogram(
    "claimwright_cache_seconds", "Duration of one use of the cache.", ["operation"], buckets=_STATEMENT_BUCKETS
)
# place: web, job; code: of observability.errors and its children, or the class of what nobody expected
ERRORS = Counter("claimwright_errors_total", "Requests and attempts at jobs that failed, by code.", ["place", "code"])
# code: of the refusal (401): invalid_credential, token_expired, …
AUTHENTICATION_FAILURES = Counter(
    "claimwright_authentication_failures_total", "Requests whose credential was refused, by code.", ["code"]
)
# code: of the refusal (403): permission_denied, tenant_mismatch, metrics_restricted, …
REFUSED_ACCESS = Counter(
    "claimwright_refused_access_total",
    "Requests of known people and programs that were not allowed, by code.",
    ["code"],
)
# severity: of the opinion, or NOT_ASSESSABLE; priority: URGENT, STANDARD, LOW_PRIORITY
ASSESSMENTS = Counter(
    "claimwright_assessments_total", "Recorded opinions by severity and priority.", ["severity", "priority"]
)
# reason: severity_high, fraud_above_threshold
HIGH_RISK_PREDICTIONS = Counter(
    "claimwright_high_risk_predictions_total", "Recorded opinions that say high risk, by reason.", ["reason"]
)
FRAUD_RISK = Histogram(
    "claimwright_fraud_risk_score",
    "Fraud scores of recorded opinions, from 0 to 1.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)


def begin_at_zero(metric: Counter | Histogram, *values: Iterable[str]) -> None:
    """Show every combination of the labels' values from the start: what appears with its first event has no increase
    that an alert could see."""
    for labels in product(*values):
        metric.labels(*labels)


def own_families() -> dict[str, str]:
    """Return the names of all families of this file, as Prometheus reads them, with their types."""
    counted = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in REGISTRY.collect()
        if family.name.startswith("claimwright_")
    }
    read = {value.name: "gauge" for value in globals().values() if isinstance(value, ScrapeGauge)}
    return dict(sorted((counted | read).items()))


@dataclass(frozen=True)
class ScrapeGauge:
    """A gauge that is read when Prometheus asks."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


JOBS = ScrapeGauge("claimwright_jobs", "Jobs that are open or dead, by kind and state.", ("kind", "state"))
SERVICE_LEVEL = ScrapeGauge("claimwright_service_level", "1 for the level that the service has.", ("level",))
DEAD_LETTERS = ScrapeGauge("claimwright_dead_letters", "Dead letters that wait for a person, by kind.", ("kind",))
OLDEST_JOB_SECONDS = ScrapeGauge("claimwright_oldest_waiting_job_seconds", "How long the oldest due job has waited.")
INCIDENTS_OPEN = ScrapeGauge("claimwright_incidents_open", "Incidents that are not over, by severity.", ("severity",))
WORKERS_ALIVE = ScrapeGauge("claimwright_workers_alive", "Worker processes with a fresh heartbeat.")
BROKER_MESSAGES_ROOM = ScrapeGauge(
    "claimwright_broker_room_messages", "Wake-ups the broker takes before publishing pauses; 0 when full or away."
)
# state: of pg_stat_activity (active, idle, idle_in_transaction, other); nothing on SQLite, which has no server
DATABASE_CONNECTIONS = ScrapeGauge(
    "claimwright_database_connections", "Connections to the database's server, by state.", ("state",)
)
DATABASE_CONNECTIONS_LIMIT = ScrapeGauge(
    "claimwright_database_connections_limit", "How many connections the database's server takes."
)
DISK_FREE_BYTES = ScrapeGauge("claimwright_disk_free_bytes", "Room left where videos are stored.")
DISK_SIZE_BYTES = ScrapeGauge("claimwright_disk_size_bytes", "Size of the disk where videos are stored.")
# role: web, worker, other; all processes of this machine that share the metrics folder
PROCESSES = ScrapeGauge("claimwright_processes", "Living processes by role.", ("role",))
PROCESS_MEMORY_BYTES = ScrapeGauge("claimwright_process_memory_bytes", "Resident memory by role.", ("role",))
MEMORY_LIMIT_BYTES = ScrapeGauge("claimwright_memory_limit_bytes", "Memory that this machine or container may use.")
PROCESS_CPU_SECONDS = ScrapeGauge(
    "claimwright_process_cpu_seconds", "Processor time of the living processes and their ended children.", ("role",)
)
PROCESS_OPEN_FILES = ScrapeGauge("claimwright_process_open_files", "Open file descriptors by role.", ("role",))
# Read by the opinion engine's floor from people's blind labels of the last 90 days, over all tenants.
MODEL_ACCURACY = ScrapeGauge(
    "claimwright_model_accuracy", "Share of blind labels that agree with the likeliest severity; none without labels."
)
MODEL_COVERAGE = ScrapeGauge(
    "claimwright_model_coverage",
    "Share of prediction sets that held the blind label; bounds of its 95 % interval.",
    ("bound",),
)
MODEL_COVERAGE_TARGET = ScrapeGauge("claimwright_model_coverage_target", "The share that is promised.")
MODEL_LABELS = ScrapeGauge("claimwright_model_labels", "Blind labels that these shares rest on.")
# Read by the desk's floor (priority: URGENT, STANDARD, LOW_PRIORITY).
OPEN_REVIEWS = ScrapeGauge("claimwright_open_reviews", "Claims that await a person, by priority.", ("priority",))
OVERDUE_REVIEWS = ScrapeGauge("claimwright_overdue_reviews", "Claims past their due time, by priority.", ("priority",))
BREAKER_STATE = ScrapeGauge(
    "claimwright_circuit_breaker_state", "1 for the state that a circuit breaker is in.", ("breaker", "state")
)
# tier: the tenants' (tenancy.choices.Tier)
BUDGET_SHARE = ScrapeGauge(
    "claimwright_budget_spent_share", "The fullest budget's spent share (1: all of it), by tier.", ("tier",)
)
SPEND_ANOMALIES = ScrapeGauge("claimwright_spend_anomalies_open", "Tenants whose spending is unusual now.")
ALERTS_OPEN = ScrapeGauge("claimwright_alerts_open", "Alerts that are not resolved, by severity.", ("severity",))
# status: of each tenant's newest report; state: of its newest look at drift (aiassist.monitoring).
MODEL_HEALTH = ScrapeGauge(
    "claimwright_model_health_tenants", "Tenants by the status of their newest report.", ("status",)
)
DRIFT_EPISODES = ScrapeGauge("claimwright_drift_episodes", "Tenants whose claims drift now.")
SOURCE_UP = ScrapeGauge("claimwright_scrape_source_up", "1 when the gauge could be read at this scrape.", ("source",))

# From label values in the gauge's order to the figure; a gauge without labels has the one key ().
Readings = Mapping[tuple[str, ...], float]
_sources: dict[str, tuple[ScrapeGauge, Callable[[], Readings]]] = {}


class SourceUnreadable(Exception):
    """A scrape source cannot tell its figures now; its gauge is left out of this scrape."""


def register_scrape_source(gauge: ScrapeGauge, read: Callable[[], Readings]) -> None:
    """Have the gauge read by the function at every scrape.

    The function is quick, reads only, and raises SourceUnreadable (or a database error) when it cannot tell.
    """
    _sources[gauge.name] = (gauge, read)


def scrape_sources() -> Iterable[tuple[ScrapeGauge, Callable[[], Readings]]]:
    return tuple(_sources.values())


class ScrapeCollector(Collector):
    """Turns the registered sources into metric families."""

    def __init__(self, failures: tuple[type[BaseException], ...]) -> None:
        self._failures: tuple[type[BaseException], ...] = (SourceUnreadable, *failures)

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily(SOURCE_UP.name, SOURCE_UP.help, labels=SOURCE_UP.labels)
        for gauge, read in scrape_sources():
            try:
                readings = read()
            except self._failures:
                up.add_metric((gauge.name,), 0.0)
                continue
            up.add_metric((gauge.name,), 1.0)
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in readings.items():
                family.add_metric(labels, value)
            yield family
        yield up

    def describe(self) -> Iterable[Metric]:
        return ()
