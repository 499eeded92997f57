"""One open alert for what is identical, with its count, its history and its end."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from observability.alerts import hooks
from observability.alerts.catalogue import CATALOGUE
from observability.alerts.choices import AlertEvent, AlertSeverity, milder_than
from observability.alerts.errors import AlertIsOver
from observability.alerts.models import Alert, AlertEntry
from observability.alerts.raising import (
    Fact,
    acknowledge_alert,
    quiet_resolve,
    raise_alert,
    resolve_alert,
    resolve_open_alert,
)
from observability.errors import NotFound, PlatformError
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
FAILURE = AlertEvent.MODEL_FAILURE


@pytest.fixture(autouse=True)
def no_other_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_opened", "_escalated", "_acknowledged", "_resolved"):
        monkeypatch.setattr(hooks, name, [])


def kinds(alert_id: UUID) -> list[str]:
    return list(AlertEntry.objects.filter(alert_id=alert_id).order_by("id").values_list("kind", flat=True))


def test_identical_failures_are_one_alert_that_counts_them() -> None:
    raised = [
        raise_alert(FAILURE, subject="openai", facts={"attempt": n}, now=NOON + n * timedelta(seconds=0.1))
        for n in range(500)
    ]
    assert [one.opened for one in raised] == [True] + [False] * 499
    alert = Alert.objects.get()
    assert (alert.count, alert.facts, alert.severity) == (500, {"attempt": 499}, "ERROR")
    assert (alert.opened_at, alert.last_raised_at) == (NOON, NOON + timedelta(seconds=49.9))
    assert kinds(alert.id) == ["RAISED"]


def test_a_raise_of_an_open_alert_costs_a_read_and_a_write(django_assert_num_queries: pytest.FixtureRequest) -> None:
    raise_alert(FAILURE, subject="openai")
    with django_assert_num_queries(2):  # type: ignore[operator]
        raise_alert(FAILURE, subject="openai")


def test_another_subject_tenant_or_event_is_another_alert() -> None:
    acme, borealis = uuid4(), uuid4()
    for event, subject, tenant in (
        (FAILURE, "openai", ""),
        (FAILURE, "anthropic", ""),
        (FAILURE, "openai", acme),
        (FAILURE, "openai", borealis),
        (AlertEvent.DRIFT_DETECTED, "openai", acme),
    ):
        assert raise_alert(event, subject=subject, tenant=tenant).opened
    assert Alert.objects.filter(count=1).count() == 5


def test_a_graver_raise_makes_the_alert_graver_and_open_again() -> None:
    first = raise_alert(FAILURE, severity="WARNING", now=NOON)
    acknowledge_alert(alert_id=first.alert_id, by="olga", now=NOON)
    assert raise_alert(FAILURE, severity="CRITICAL", now=NOON + MINUTE).escalated
    assert not raise_alert(FAILURE, severity="ERROR", now=NOON + MINUTE).escalated
    alert = Alert.objects.get()
    assert (alert.severity, alert.state, alert.acknowledged_by, alert.count) == ("CRITICAL", "OPEN", "", 3)
    assert kinds(alert.id) == ["RAISED", "ACKNOWLEDGED", "ESCALATED"]


def test_what_comes_after_the_end_is_a_new_alert() -> None:
    first = raise_alert(FAILURE, subject="openai", now=NOON)
    assert resolve_alert(FAILURE, "openai", now=NOON + MINUTE)
    assert not resolve_alert(FAILURE, "openai", now=NOON + MINUTE)
    second = raise_alert(FAILURE, subject="openai", now=NOON + 2 * MINUTE)
    assert second.opened and second.alert_id != first.alert_id
    over = Alert.objects.get(id=first.alert_id)
    assert (over.state, over.resolved_at, over.resolved_by) == ("RESOLVED", NOON + MINUTE, "")
    assert kinds(over.id) == ["RAISED", "RESOLVED"]


def test_resolving_ends_the_alert_of_that_tenant_alone() -> None:
    acme, borealis = uuid4(), uuid4()
    for tenant in (acme, borealis):
        raise_alert(AlertEvent.BUDGET_EXCEEDED, subject="monthly", tenant=tenant)
    assert resolve_alert(AlertEvent.BUDGET_EXCEEDED, "monthly", acme)
    assert Alert.objects.get(tenant_ref=str(borealis)).is_open


def test_a_person_acknowledges_once_and_resolves_once() -> None:
    alert_id = raise_alert(FAILURE, now=NOON).alert_id
    acknowledge_alert(alert_id=alert_id, by="olga", now=NOON + MINUTE)
    again = acknowledge_alert(alert_id=alert_id, by="sven", now=NOON + 2 * MINUTE)
    assert (again.acknowledged_by, again.acknowledged_at) == ("olga", NOON + MINUTE)
    over = resolve_open_alert(alert_id=alert_id, by="olga", now=NOON + 3 * MINUTE)
    assert (over.state, over.resolved_by) == ("RESOLVED", "olga")
    for act in (acknowledge_alert, resolve_open_alert):
        with pytest.raises(AlertIsOver):
            act(alert_id=alert_id, by="sven", now=NOON)
        with pytest.raises(NotFound):
            act(alert_id=uuid4(), by="sven", now=NOON)
    assert kinds(alert_id) == ["RAISED", "ACKNOWLEDGED", "RESOLVED"]
    said = AlertEntry.objects.filter(alert_id=alert_id).order_by("id").values_list("by", flat=True)
    assert list(said) == ["", "olga", "olga"]


def test_a_raise_in_between_keeps_the_sweeper_from_resolving() -> None:
    alert_id = raise_alert(FAILURE).alert_id
    Alert.objects.update(quiet_sweeps=4)
    raise_alert(FAILURE)
    assert not quiet_resolve(alert_id=alert_id, quiet_sweeps=4, now=NOON)
    Alert.objects.update(quiet_sweeps=4)
    assert quiet_resolve(alert_id=alert_id, quiet_sweeps=4, now=NOON)


def test_hooks_run_in_the_transaction_of_the_change() -> None:
    told: list[str] = []
    hooks.on_alert_opened(lambda alert, now: told.append(f"opened {alert.subject} {alert.severity}"))
    hooks.on_alert_escalated(lambda alert, now: told.append(f"escalated {alert.severity}"))
    hooks.on_alert_acknowledged(lambda alert, now: told.append(f"acknowledged {alert.acknowledged_by}"))
    hooks.on_alert_resolved(lambda alert, now: told.append(f"resolved {alert.count} {alert.resolved_by}"))
    alert_id = raise_alert(FAILURE, subject="openai").alert_id
    raise_alert(FAILURE, subject="openai")
    raise_alert(FAILURE, subject="openai", severity="CRITICAL")
    acknowledge_alert(alert_id=alert_id, by="olga", now=NOON)
    resolve_open_alert(alert_id=alert_id, by="sven", now=NOON)
    assert told == ["opened openai ERROR", "escalated CRITICAL", "acknowledged olga", "resolved 3 sven"]


@pytest.mark.django_db(transaction=True)
def test_an_alert_whose_hook_fails_is_not_there() -> None:
    def fail(alert: Alert, now: object) -> None:
        raise PlatformError(code="hook_failed")

    hooks.on_alert_opened(fail)
    with pytest.raises(PlatformError), transaction.atomic():
        raise_alert(FAILURE)
    assert not Alert.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_raising_and_resolving_outside_a_transaction_is_refused() -> None:
    for act in (lambda: raise_alert(FAILURE), lambda: resolve_alert(FAILURE)):
        with pytest.raises(PlatformError) as refusal:
            act()
        assert refusal.value.code == "alert_outside"


@pytest.mark.parametrize(
    "facts",
    [{"note": "Ada Lovelace called"}, {"reason": "it broke\n"}, {"a b": 1}, {"long": "x" * 129}, {"name": "Grüße"}],
)
def test_words_are_no_facts(facts: dict[str, Fact]) -> None:
    with pytest.raises(PlatformError) as refusal:
        raise_alert(FAILURE, facts=facts)
    assert refusal.value.code == "alert_with_free_text"


def test_what_looks_like_personal_data_is_masked_before_it_is_kept() -> None:
    raise_alert(FAILURE, facts={"from": "ada@example.org", "address": "10.0.0.7", "api_key": "abc", "share": 0.25})
    assert Alert.objects.get().facts == {
        "from": "[email]",
        "address": "[masked]",
        "api_key": "[masked]",
        "share": 0.25,
    }


def test_a_number_that_json_does_not_know_is_kept_as_its_name() -> None:
    raise_alert(FAILURE, facts={"score": float("nan"), "claim": UUID(int=1)})
    assert Alert.objects.get().facts == {"score": "nan", "claim": "00000000-0000-0000-0000-000000000001"}


def test_the_catalogue_knows_every_event() -> None:
    assert set(CATALOGUE) == set(AlertEvent)
    assert len(AlertEvent) == 12
    for event, facts in CATALOGUE.items():
        assert raise_alert(event, subject=event.lower()).opened
        assert Alert.objects.get(event=event).severity == facts.severity


def test_severities_are_ordered() -> None:
    assert milder_than(AlertSeverity.CRITICAL) == ("ERROR", "WARNING", "INFO")
    assert milder_than(AlertSeverity.INFO) == ()
