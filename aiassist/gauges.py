"""What the opinion engine shows Prometheus: its counters from zero, and how its models do by people's blind labels."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from aiassist.assessment.conformal import COVERAGE_TARGET
from aiassist.gateway.rules_provider import RulesProvider
from aiassist.gateway.types import PROVIDER_NAMES
from aiassist.models import CalibrationCase
from aiassist.monitoring.coverage import ShownSet, coverage_of
from aiassist.types import Severity, Stage
from observability import metrics
from observability.metrics import Readings, register_scrape_source
from tenancy.scope import every_tenant

_WINDOW = timedelta(days=90)
_MOST_LABELS = 5_000
# Labels come a few an hour; reading thousands of them at every scrape would be felt.
_KEPT_SECONDS = 60.0


def begin_counting() -> None:
    """Show the counters of this floor from zero."""
    providers = [*PROVIDER_NAMES, RulesProvider.name]
    metrics.begin_at_zero(metrics.PROVIDER_CALLS, providers, metrics.PROVIDER_OUTCOMES)
    metrics.begin_at_zero(metrics.PROVIDER_FAILURES, PROVIDER_NAMES, ["credentials_refused", "rate_limited"])
    metrics.begin_at_zero(metrics.PROVIDER_SECONDS, PROVIDER_NAMES)
    metrics.begin_at_zero(metrics.PROVIDER_TOKENS, PROVIDER_NAMES, ["input", "output"])
    metrics.begin_at_zero(metrics.PROVIDER_COST, PROVIDER_NAMES)
    metrics.begin_at_zero(metrics.STAGE_SECONDS, [stage.value for stage in Stage])


def register_gauges() -> None:
    register_scrape_source(metrics.MODEL_ACCURACY, lambda: _labelled.figures().accuracy)
    register_scrape_source(metrics.MODEL_COVERAGE, lambda: _labelled.figures().coverage)
    register_scrape_source(metrics.MODEL_COVERAGE_TARGET, lambda: {(): COVERAGE_TARGET})
    register_scrape_source(metrics.MODEL_LABELS, lambda: _labelled.figures().labels)


@dataclass(frozen=True)
class ModelFigures:
    """Readings over all tenants; accuracy and coverage are empty without labels."""

    accuracy: Readings
    coverage: Readings
    labels: Readings


def model_figures() -> ModelFigures:
    """Return how the newest blind labels of the last 90 days judge the severities, weighted by how they were drawn."""
    since = timezone.now() - _WINDOW
    columns = ("probabilities", "prediction_set", "true_label", "inclusion_probability", "labelled_at")
    with every_tenant("metrics"):
        rows = CalibrationCase.objects.filter(labelled_at__gte=since).exclude(true_label="").order_by("-labelled_at")
        cases = list(rows.values_list(*columns)[:_MOST_LABELS])
    if not cases:
        return ModelFigures({}, {}, {(): 0.0})
    weights = [1.0 / share for _, _, _, share, _ in cases]
    right = [max(said, key=said.__getitem__) == label for said, _, label, _, _ in cases]
    accuracy = sum(w for w, hit in zip(weights, right, strict=True) if hit) / sum(weights)
    found = coverage_of([ShownSet(tuple(held), Severity(label), share, at) for _, held, label, share, at in cases])
    bounds = {"share": found.share, "low": found.low, "high": found.high}
    coverage: Readings = {(bound,): value for bound, value in bounds.items() if value is not None}
    return ModelFigures({(): round(accuracy, 4)}, coverage, {(): float(len(cases))})


class _Labelled:
    """The figures as this process read them last, for a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._figures = ModelFigures({}, {}, {})

    def figures(self) -> ModelFigures:
        with self._lock:
            if time.monotonic() - self._read_at >= _KEPT_SECONDS:
                self._figures = model_figures()
                self._read_at = time.monotonic()
            return self._figures


_labelled = _Labelled()
