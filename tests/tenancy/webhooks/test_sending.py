"""Deliveries by the worker: signed, tried again, given up, and the endpoint left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from observability import jobs
from observability.choices import JobState
from observability.errors import PlatformError
from observability.jobs import LeaseLost
from observability.models import Job
from observability.outbound.transport import Answer
from observability.sweeping import bury_spent_jobs
from tenancy.audit_verification import verify_audit
from tenancy.choices import Tier
from tenancy.models import AuditEvent, Tenant, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from tenancy.scope import every_tenant, tenant_scope
from tenancy.webhooks.announcing import announce
from tenancy.webhooks.retention import purge_old_events
from tenancy.webhooks.retries import MOST_ATTEMPTS, PAUSES, retry_after, verdict
from tenancy.webhooks.sending import send_delivery
from tenancy.webhooks.services import rotate_secret
from tests.people import Person
from tests.tenancy.webhooks.conftest import HOST, Listen, Names
from tests.tenancy.webhooks.events import PING, announced, fresh, lease_on, make_webhook, work_on
from tests.tenancy.webhooks.receiver import Received, answering

# The heartbeat of a job is a thread with a connection of its own: it sees committed rows only.
pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def verified(got: Received, secret: str) -> Any:
    return Webhook(secret).verify(got.body, got.headers)


def change(endpoint: WebhookEndpoint, **columns: Any) -> None:
    with every_tenant("a test changes a row"):
        WebhookEndpoint.objects.filter(id=endpoint.id).update(**columns)


def test_a_delivery_arrives_signed_so_that_the_standard_library_believes_it(
    listen: Listen, names: Names, adam: Person
) -> None:
    receiver = listen()
    _endpoint, secret = make_webhook(adam, receiver)
    delivery = work_on(announced(adam))
    [got] = receiver.got
    event = verified(got, secret)
    assert event["type"] == "webhook.ping" and set(event) == {"id", "type", "timestamp", "data"}
    assert got.headers["webhook-id"] == event["id"] == str(delivery.event_id)
    assert got.headers["content-type"] == "application/json"
    assert (delivery.state, delivery.attempts, delivery.status_code) == ("DELIVERED", 1, 204)
    assert Job.objects.get(id=delivery.id).state == JobState.SUCCEEDED
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(got.body + b" ", got.headers)


def test_for_a_day_after_a_rotation_both_secrets_verify(listen: Listen, names: Names, adam: Person) -> None:
    receiver = listen()
    endpoint, old = make_webhook(adam, receiver)
    with tenant_scope(adam.tenant.id):
        new = rotate_secret(actor=adam.principal, endpoint_id=endpoint.id, now=timezone.now()).secret
    work_on(announced(adam))
    assert verified(receiver.got[0], old) == verified(receiver.got[0], new)
    change(endpoint, old_secret_until=timezone.now())
    work_on(announced(adam))
    verified(receiver.got[1], new)
    with pytest.raises(WebhookVerificationError):
        verified(receiver.got[1], old)


def test_a_failed_delivery_is_tried_again_with_the_same_words(listen: Listen, names: Names, adam: Person) -> None:
    receiver = listen(answering("500 Internal Server Error", body=b"a trace with secrets"))
    make_webhook(adam, receiver)
    before = timezone.now()
    delivery = work_on(announced(adam))
    assert (delivery.state, delivery.status_code, delivery.error_code) == ("PENDING", 500, "http_status")
    job = Job.objects.get(id=delivery.id)
    assert delivery.next_attempt_at is not None
    assert job.state == JobState.PENDING and job.run_after == delivery.next_attempt_at > before
    assert work_on(delivery).attempts == 2
    first, second = receiver.got
    assert first.body == second.body and first.headers["webhook-id"] == second.headers["webhook-id"]
    assert b"secrets" not in str(list(Job.objects.values())).encode()


def test_the_last_attempt_ends_the_delivery(listen: Listen, names: Names, adam: Person) -> None:
    make_webhook(adam, listen(answering("503 Service Unavailable")))
    delivery = announced(adam)
    with tenant_scope(adam.tenant.id):
        WebhookDelivery.objects.filter(id=delivery.id).update(attempts=MOST_ATTEMPTS - 1)
    delivery = work_on(delivery)
    assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == ("FAILED", MOST_ATTEMPTS, None)
    assert Job.objects.get(id=delivery.id).state == JobState.SUCCEEDED


def test_a_receiver_that_asks_for_a_pause_gets_it_for_all_deliveries(
    listen: Listen, names: Names, adam: Person
) -> None:
    receiver = listen(answering("429 Too Many Requests", "Retry-After: 7200"))
    endpoint, _secret = make_webhook(adam, receiver)
    now = timezone.now()
    first = work_on(announced(adam))
    assert first.next_attempt_at is not None and first.next_attempt_at >= now + timedelta(seconds=7200)
    second = work_on(announced(adam))
    assert (second.state, second.attempts) == ("PENDING", 0) and len(receiver.got) == 1
    assert second.next_attempt_at is not None and second.next_attempt_at >= fresh(endpoint).resting_until


def test_an_endpoint_that_is_gone_is_disabled_at_once(listen: Listen, names: Names, adam: Person) -> None:
    receiver = listen(answering("410 Gone"))
    endpoint, _secret = make_webhook(adam, receiver)
    waiting = announced(adam)
    delivery = work_on(announced(adam))
    assert (delivery.state, delivery.error_code) == ("FAILED", "gone")
    endpoint = fresh(endpoint)
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "GONE")
    waiting = work_on(waiting)
    assert (waiting.state, waiting.error_code, len(receiver.got)) == ("CANCELLED", "endpoint_disabled", 1)
    with tenant_scope(adam.tenant.id):
        assert AuditEvent.objects.order_by("-id")[0].event == "webhook.disabled"
    assert verify_audit(adam.tenant).ok


def test_an_endpoint_that_fails_for_three_days_is_disabled(listen: Listen, names: Names, adam: Person) -> None:
    endpoint, _secret = make_webhook(adam, listen(answering("500 Internal Server Error")))
    work_on(announced(adam))
    assert fresh(endpoint).enabled and fresh(endpoint).failing_since is not None
    change(endpoint, failing_since=timezone.now() - timedelta(days=3))
    work_on(announced(adam))
    assert (fresh(endpoint).enabled, fresh(endpoint).disabled_reason) == (False, "FAILING")


def test_a_success_ends_a_row_of_failures(listen: Listen, names: Names, adam: Person) -> None:
    endpoint, _secret = make_webhook(adam, listen())
    change(endpoint, failing_since=timezone.now() - timedelta(days=9))
    work_on(announced(adam))
    assert fresh(endpoint).enabled and fresh(endpoint).failing_since is None


def test_a_name_that_leads_inside_by_now_is_not_called(listen: Listen, names: Names, adam: Person) -> None:
    receiver = listen()
    make_webhook(adam, receiver)
    names[HOST] = ["169.254.169.254"]
    delivery = work_on(announced(adam))
    assert (delivery.state, delivery.error_code, receiver.connections) == ("PENDING", "address_not_allowed", 0)


@pytest.mark.parametrize(
    ("columns", "code"), [({"tier": Tier.FREE}, "tier_required"), ({"status": "SUSPENDED"}, "tenant_inactive")]
)
def test_nothing_is_sent_or_written_for_a_tenant_that_may_not(
    listen: Listen, names: Names, adam: Person, columns: dict[str, str], code: str
) -> None:
    receiver = listen()
    make_webhook(adam, receiver)
    waiting = announced(adam)
    Tenant.objects.filter(id=adam.tenant.id).update(**columns)
    assert work_on(waiting).error_code == code
    assert announced(adam).id == waiting.id, "no further delivery was written"
    assert receiver.connections == 0


def test_a_secret_that_cannot_be_read_is_told_not_sent(
    listen: Listen, names: Names, adam: Person, settings: Any
) -> None:
    receiver = listen()
    endpoint, _secret = make_webhook(adam, receiver)
    former = settings.SECRET_KEY
    settings.SECRET_KEY = "another key than before " * 3
    assert work_on(announced(adam)).error_code == "secret_unreadable"
    assert receiver.connections == 0
    change(endpoint, resting_until=None)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert work_on(announced(adam)).state == "DELIVERED"


def test_of_two_workers_one_records_the_attempt(listen: Listen, names: Names, adam: Person) -> None:
    """The first stalls past its lease while it sends; the second takes over; the late answer counts nowhere."""
    receiver = listen()
    make_webhook(adam, receiver)
    delivery = announced(adam)
    stalled = lease_on(delivery)
    assert jobs.take_job(job_id=delivery.id, now=timezone.now()) is None

    def send_late(*args: Any, **kwargs: Any) -> Answer:
        Job.objects.filter(id=delivery.id).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        work_on(delivery)
        return Answer(500, "", 9)

    with tenant_scope(adam.tenant.id), pytest.raises(LeaseLost):
        send_delivery(lease=stalled, send=send_late)
    done = fresh(delivery)
    assert (done.state, done.attempts, len(receiver.got)) == ("DELIVERED", 1, 1)
    with tenant_scope(adam.tenant.id):
        assert WebhookAttempt.objects.filter(delivery=delivery).count() == 1


def test_a_delivery_whose_workers_die_ends_as_failed(names: Names, loopback: None, adam: Person) -> None:
    make_webhook(adam)
    delivery = announced(adam)
    Job.objects.filter(id=delivery.id).update(attempts=5, next_publish_at=timezone.now())
    assert bury_spent_jobs(now=timezone.now()) == [delivery.id]
    assert (fresh(delivery).state, fresh(delivery).error_code) == ("FAILED", "worker_lost")


def test_an_event_tells_no_free_text_and_stands_in_its_change(names: Names, loopback: None, adam: Person) -> None:
    make_webhook(adam)
    with tenant_scope(adam.tenant.id):
        with pytest.raises(PlatformError, match="transaction"):
            announce(PING, data={}, now=NOON)
        with transaction.atomic(), pytest.raises(PlatformError, match="ids and states"):
            announce(PING, data={"name": "Ada"}, now=NOON)  # type: ignore[dict-item]
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            announce(PING, data={}, now=NOON)
            raise ZeroDivisionError
        assert not WebhookEvent.objects.exists()


def test_old_events_are_forgotten_and_open_ones_kept(names: Names, listen: Listen, adam: Person) -> None:
    make_webhook(adam, listen())
    long_ago = timezone.now() - timedelta(days=31)
    done, waiting = announced(adam, now=long_ago), announced(adam, now=long_ago)
    work_on(done)
    with tenant_scope(adam.tenant.id):
        WebhookDelivery.objects.filter(id=done.id).update(finished_at=long_ago)
    assert purge_old_events(now=timezone.now()) == 1
    with tenant_scope(adam.tenant.id):
        assert [row.id for row in WebhookDelivery.objects.all()] == [waiting.id]


def test_eight_attempts_take_a_day_and_each_waits_longer() -> None:
    assert MOST_ATTEMPTS == 8 and timedelta(hours=20) < sum(PAUSES, timedelta()) < timedelta(hours=28)
    assert list(PAUSES) == sorted(PAUSES)
    for attempt, pause in enumerate(PAUSES, 1):
        found = verdict(Answer(500, "", 1), attempt=attempt, now=NOON).retry_at
        assert found is not None and pause * 0.8 <= found - NOON <= pause * 1.2
    assert verdict(Answer(None, "timeout", 1), attempt=8, now=NOON).retry_at is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 5 ", 5),
        ("999999999999", 86_400),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
        ("Sun, 01 Mar 2026 11:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("0", None),
        ("-5", None),
        ("١٢", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_reads_seconds_and_dates_up_to_a_day(text: str, seconds: int | None) -> None:
    assert retry_after(text, now=NOON) == (None if seconds is None else timedelta(seconds=seconds))
