"""The priority of every kind of opinion, and the rules that may never bend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from aiassist.types import Outcome, Severity
from claims.choices import QUEUE_RANK, ReviewPriority
from claims.triage import not_lowered, triage
from tenancy.policy import TenantPolicy
from tests.claims.opinions import opinion_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NONE, LOW, MEDIUM, HIGH = Severity.NONE, Severity.LOW, Severity.MEDIUM, Severity.HIGH
STRICT, LENIENT = TenantPolicy(), TenantPolicy(low_priority_without_model=True)
RULES_ONLY = {"degraded": True, "degraded_reasons": ("vision_model",)}


@pytest.mark.parametrize(
    ("possible", "given", "policy", "priority", "first_reason"),
    [
        ((HIGH,), {}, STRICT, "URGENT", "set_contains_high"),
        ((MEDIUM, HIGH), {}, STRICT, "URGENT", "set_contains_high"),
        ((), {}, STRICT, "URGENT", "set_empty"),
        ((NONE, LOW, MEDIUM), {}, STRICT, "URGENT", "set_wide"),
        ((NONE,), {"fraud": 0.6}, STRICT, "URGENT", "fraud_above_threshold"),
        ((NONE,), {"fraud": 0.45}, TenantPolicy(fraud_urgent_threshold=0.4), "URGENT", "fraud_above_threshold"),
        ((NONE, LOW), {}, STRICT, "STANDARD", "set_has_two_labels"),
        ((MEDIUM,), {}, STRICT, "STANDARD", "impact_on_vehicle"),
        ((LOW,), {}, LENIENT, "STANDARD", "impact_on_vehicle"),
        ((NONE,), {"fraud": 0.3}, STRICT, "STANDARD", "fraud_notable"),
        ((NONE,), RULES_ONLY, STRICT, "STANDARD", "degraded"),
        ((NONE,), {"degraded_reasons": ("detector_weights",)}, STRICT, "STANDARD", "degraded"),
        ((NONE,), {"calibrated": False}, LENIENT, "STANDARD", "not_calibrated"),
        ((NONE,), {"degraded_reasons": ("features_outside_training",)}, LENIENT, "STANDARD", "unfamiliar_video"),
        ((NONE,), {}, STRICT, "LOW_PRIORITY", "only_none_possible"),
        ((NONE,), RULES_ONLY, LENIENT, "LOW_PRIORITY", "only_none_possible"),
    ],
)
def test_triage_gives_each_opinion_its_place(
    possible: tuple[Severity, ...], given: dict[str, object], policy: TenantPolicy, priority: str, first_reason: str
) -> None:
    order = triage(opinion=opinion_of(*possible, **given), policy=policy, now=NOW)  # type: ignore[arg-type]
    assert (order.priority, order.reasons[0].code) == (priority, first_reason)
    assert order.points == sum(reason.points for reason in order.reasons)


def test_triage_never_lets_a_set_of_two_be_low() -> None:
    for size in (2, 3, 4):
        for possible in combinations(Severity, size):
            order = triage(opinion=opinion_of(*possible), policy=LENIENT, now=NOW)
            assert order.priority != ReviewPriority.LOW_PRIORITY, possible


def test_triage_never_lets_rules_alone_be_low_unless_the_tenant_says_so() -> None:
    for label in Severity:
        order = triage(opinion=opinion_of(label, **RULES_ONLY), policy=STRICT, now=NOW)  # type: ignore[arg-type]
        assert order.priority != ReviewPriority.LOW_PRIORITY


def test_triage_sends_what_cannot_be_assessed_to_a_person_soon() -> None:
    opinion = opinion_of(*Severity, outcome=Outcome.NOT_ASSESSABLE, degraded=True)
    order = triage(opinion=opinion, policy=LENIENT, now=NOW)
    assert order.priority == ReviewPriority.URGENT
    assert "not_assessable" in {reason.code for reason in order.reasons}


@pytest.mark.parametrize(("label", "hours"), [(HIGH, 2), (MEDIUM, 30), (NONE, 90)])
def test_triage_takes_the_due_time_from_the_tenants_hours(label: Severity, hours: int) -> None:
    policy = TenantPolicy(review_hours_urgent=2, review_hours_standard=30, review_hours_low=90)
    assert triage(opinion=opinion_of(label), policy=policy, now=NOW).due_at == NOW + timedelta(hours=hours)


def test_triage_points_reach_fifty_exactly_for_the_urgent() -> None:
    for size in range(5):
        for possible in combinations(Severity, size):
            for fraud in (0.0, 0.3, 0.59, 0.6, 1.0):
                for degraded in (False, True):
                    for calibrated in (False, True):
                        opinion = opinion_of(*possible, fraud=fraud, degraded=degraded, calibrated=calibrated)
                        order = triage(opinion=opinion, policy=STRICT, now=NOW)
                        assert (order.points >= 50) == (order.priority == ReviewPriority.URGENT)


@pytest.mark.parametrize("standing", list(ReviewPriority))
@pytest.mark.parametrize("possible", [(NONE,), (LOW,), (HIGH,)])
def test_a_newer_opinion_only_ever_raises(standing: ReviewPriority, possible: tuple[Severity, ...]) -> None:
    order = triage(opinion=opinion_of(*possible), policy=LENIENT, now=NOW)
    kept = not_lowered(order, standing=standing, version=1)
    assert QUEUE_RANK[kept.priority] == min(QUEUE_RANK[standing], QUEUE_RANK[order.priority])
    assert (kept == order) == (QUEUE_RANK[standing] >= QUEUE_RANK[order.priority])
    assert (kept.reasons[-1].code == "priority_kept") == (kept != order)
