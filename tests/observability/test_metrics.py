from __future__ import annotations

from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest

from observability import metrics
from observability.metrics import ScrapeGauge

# What a label may say comes from closed lists in the code.
BOUNDED = {
    "action",
    "channel",
    "event",
    "watcher",
    "operation",
    "place",
    "code",
    "severity",
    "reason",
    "role",
    "bound",
    "view",
    "method",
    "status",
    "kind",
    "outcome",
    "stage",
    "provider",
    "direction",
    "timer",
    "state",
    "priority",
    "source",
    "breaker",
    "bucket",
    "quota",
    "category",
    "tier",
    "fallback",
    "level",
}
GOLDEN = Path(__file__).with_name("metric_families.txt")


def test_metrics_have_bounded_labels_only() -> None:
    names = {
        label
        for value in vars(metrics).values()
        for label in (getattr(value, "_labelnames", ()) if not isinstance(value, ScrapeGauge) else value.labels)
    }
    assert names - BOUNDED == set()


def test_metrics_carry_the_name_of_the_product_and_a_unit() -> None:
    ours = [family for family in REGISTRY.collect() if family.name.startswith("claimwright_")]
    assert {family.name for family in ours} >= {
        "claimwright_jobs_ended",
        "claimwright_job_seconds",
        "claimwright_uploads",
    }
    assert all(family.documentation.endswith(".") for family in ours)


def test_the_list_of_families_is_the_written_one() -> None:
    """Dashboards and rules of others read these names: whoever changes one changes the list on purpose."""
    written = dict(line.split() for line in GOLDEN.read_text(encoding="utf-8").splitlines())
    assert metrics.own_families() == written


def test_nothing_is_declared_outside_the_one_list() -> None:
    declared = {f"{family.name}_total" if family.type == "counter" else family.name for family in REGISTRY.collect()}
    ours = {name for name in declared if name.startswith("claimwright_")}
    assert ours <= set(metrics.own_families())
    in_the_file = {
        value._name for value in vars(metrics).values() if isinstance(value, Counter | Histogram)
    }  # without the endings that Prometheus adds
    assert {family.name for family in REGISTRY.collect() if family.name.startswith("claimwright_")} == in_the_file


def test_begin_at_zero_shows_every_combination() -> None:
    registry = CollectorRegistry()
    counter = Counter("probe_total", "For this test.", ["colour", "size"], registry=registry)
    metrics.begin_at_zero(counter, ["red", "blue"], ["s", "l"])
    shown = generate_latest(registry).decode()
    assert shown.count("} 0.0") >= 4 and 'probe_total{colour="blue",size="l"} 0.0' in shown
