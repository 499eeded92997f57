"""Many raisers at once, each with a database connection of its own: one open alert, and no raise lost."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from observability.alerts import hooks
from observability.alerts.choices import AlertEvent
from observability.alerts.models import Alert, AlertEntry
from observability.alerts.raising import Raised, raise_alert, resolve_alert
from tests.observability.test_races import THREADS, all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_other_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_opened", "_escalated", "_acknowledged", "_resolved"):
        monkeypatch.setattr(hooks, name, [])


def raise_one() -> Raised:
    with transaction.atomic():
        return raise_alert(AlertEvent.DATABASE_FAILURE, subject="database")


def test_raisers_at_the_same_moment_open_one_alert() -> None:
    raised = all_at_once(raise_one)
    assert sum(one.opened for one in raised) == 1
    assert Alert.objects.get().count == THREADS
    assert AlertEntry.objects.count() == 1


def test_no_raise_is_lost_while_others_resolve() -> None:
    def raise_then_resolve() -> int:
        raise_one()
        with transaction.atomic():
            return resolve_alert(AlertEvent.DATABASE_FAILURE, "database")

    resolved = sum(all_at_once(raise_then_resolve))
    alerts = list(Alert.objects.all())
    assert sum(alert.count for alert in alerts) == THREADS
    assert len(alerts) == resolved
    assert AlertEntry.objects.filter(kind="RESOLVED").count() == resolved


def test_one_of_many_resolves() -> None:
    raise_one()

    def resolve() -> bool:
        with transaction.atomic():
            return resolve_alert(AlertEvent.DATABASE_FAILURE, "database")

    assert sorted(all_at_once(resolve)) == [False] * (THREADS - 1) + [True]


def test_the_database_itself_refuses_a_second_open_alert() -> None:
    raise_one()
    first = Alert.objects.get()
    first.pk = None
    with pytest.raises(IntegrityError):
        Alert.objects.create(
            event=first.event,
            severity=first.severity,
            fingerprint=first.fingerprint,
            opened_at=first.opened_at,
            last_raised_at=first.last_raised_at,
        )
