from __future__ import annotations

from prometheus_client import REGISTRY

from observability import metrics
from observability.metrics import ScrapeGauge

# What a label may say comes from closed lists in the code.
BOUNDED = {
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
}


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
