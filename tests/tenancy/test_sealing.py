"""The sealer: nothing committed is passed by, nothing is sealed twice, and a new key signs what was there."""

from __future__ import annotations

import importlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from observability.timers import registered_timers
from tenancy.audit_verification import verify_audit
from tenancy.models import AuditSeal, AuditUnsealed
from tenancy.scope import tenant_scope
from tenancy.trail.sealing import countersign_seals, seal_events
from tests.people import Person
from tests.sealing import OTHER_KEY, SIGNING_KEY, seal_now
from tests.tenancy.trails import last_seal, write_events

on_postgres = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="on SQLite writers stand in line, and events are sealed as they are written"
)


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_sealed_late_and_not_passed_by(ada: Person) -> None:
    written, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        try:
            with transaction.atomic():
                write_events(ada, 1)
                written.set()
                assert may_commit.wait(30)
        finally:
            connection.close()

    slow = threading.Thread(target=slow_writer)
    slow.start()
    assert written.wait(30)
    write_events(ada, 1)
    now = timezone.now()
    assert seal_events(now=now) == 0  # an older transaction may still commit before it in the order
    assert seal_events(now=now + timedelta(seconds=6)) == 1  # which is not waited for without end
    may_commit.set()
    slow.join()
    assert seal_events(now=timezone.now() + timedelta(seconds=6)) == 1
    assert verify_audit(ada.tenant).problem is None and verify_audit(ada.tenant).events == 2


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_rolls_back_leaves_nothing_to_seal(ada: Person) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        write_events(ada, 1)
        raise RuntimeError
    assert not AuditUnsealed.objects.exists()
    assert seal_events(now=timezone.now()) == 0
    assert verify_audit(ada.tenant).events == 0


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_two_sealers_seal_everything_once(ada: Person, zoe: Person) -> None:
    def work(number: int) -> int:
        try:
            if number % 3:
                return seal_events(now=timezone.now())
            write_events(ada if number % 2 else zoe, 2)
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sealed = sum(pool.map(work, range(24)))
    sealed += seal_events(now=timezone.now() + timedelta(minutes=1))  # whatever another database's transactions hold up
    assert sealed == 16 and not AuditUnsealed.objects.exists()
    for person in (ada, zoe):
        report = verify_audit(person.tenant)
        assert (report.ok, report.events) == (True, 8)


@on_postgres
def test_a_young_trail_is_looked_up_by_its_key_and_not_read_through(ada: Person) -> None:
    """The database plans once a session how it checks that a place's event is there, perhaps when there are ten."""

    def read_through() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'tenancy_auditevent'")
            return int(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS;ANALYZE tenancy_auditevent")
        write_events(ada, 10)
        assert seal_events(now=timezone.now() + timedelta(minutes=1)) == 10
        before = read_through()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert read_through() == before


@on_postgres
def test_a_batch_that_is_full_is_followed_by_the_next(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenancy.trail.sealing._BATCH", 2)
    write_events(ada, 5)
    assert seal_events(now=timezone.now() + timedelta(minutes=1)) == 5
    with tenant_scope(ada.tenant.id):
        assert list(AuditSeal.objects.order_by("number").values_list("size", flat=True)) == [2, 4, 5]


def test_the_worker_seals_several_times_a_second_in_a_thread_of_its_own() -> None:
    importlib.import_module("tenancy.tasks")  # as the worker does
    timer = next(timer for timer in registered_timers() if timer.name == "seal_audit")
    assert (timer.lane, timer.every_seconds, timer.each_process) == ("seal_audit", 0.2, True)


def test_a_new_key_signs_what_was_there(ada: Person, zoe: Person, settings: Any) -> None:
    settings.AUDIT_SIGNING_KEY = ""
    write_events(ada, 2)
    seal_now(ada.tenant.id)
    assert countersign_seals(now=timezone.now()) == 0
    settings.AUDIT_SIGNING_KEY = SIGNING_KEY
    problem = verify_audit(ada.tenant).problem
    assert problem is not None and "is not signed" in problem.detail
    assert countersign_seals(now=timezone.now()) == 1
    assert verify_audit(ada.tenant).ok and last_seal(ada.tenant).size == 2
    settings.AUDIT_SIGNING_KEY = OTHER_KEY
    assert verify_audit(ada.tenant).ok is False
    assert countersign_seals(now=timezone.now()) == 1
    assert countersign_seals(now=timezone.now()) == 0
    write_events(ada, 1)
    seal_now(ada.tenant.id)
    assert verify_audit(ada.tenant).ok
