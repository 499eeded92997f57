"""What PagerDuty and Slack are told, over the wire, from an alert's first raise to its end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from observability.alerts import delivering
from observability.alerts.channels.slack import Slack, escaped
from observability.alerts.choices import AlertEvent, Step
from observability.alerts.messages import message_of
from observability.alerts.models import Alert, AlertEntry, AlertTelling
from observability.alerts.raising import acknowledge_alert, raise_alert, resolve_alert
from observability.breakers import force_breaker_open, reset_breaker
from observability.choices import JobState
from observability.jobs import LeaseLost, take_job
from observability.models import Job
from observability.outbound.transport import Limits, post
from observability.running import run_job
from observability.sweeping import bury_spent_jobs
from tests.observability.alerts.conftest import Work
from tests.observability.alerts.receivers import HANG, Service, pagerduty_problem, slack_problem
from tests.observability.work import NOON

pytestmark = pytest.mark.django_db

DOWN = AlertEvent.SYSTEM_DOWN


def history(**filters: Any) -> list[tuple[str, str, str]]:
    rows = AlertEntry.objects.filter(**filters).order_by("id")
    return list(rows.values_list("kind", "channel", "code"))


def test_five_hundred_failures_are_one_page_and_the_end_closes_it(pagerduty: Service, work: Work) -> None:
    for number in range(500):
        raise_alert(DOWN, subject="broker", facts={"attempt": number})
        if number % 100 == 0:
            work()
    work()
    [page] = pagerduty.got
    assert (page["event_action"], page["payload"]["severity"]) == ("trigger", "critical")
    assert page["payload"]["summary"].startswith("System down: broker.")
    assert page["payload"]["class"] == "SYSTEM_DOWN" and page["payload"]["component"] == "broker"
    assert page["payload"]["custom_details"]["runbook"] == "service_down"
    assert Alert.objects.get().count == 500
    assert list(pagerduty.incidents.values()) == ["triggered"]
    resolve_alert(DOWN, "broker")
    work()
    assert [event["event_action"] for event in pagerduty.got] == ["trigger", "resolve"]
    assert pagerduty.incidents == {page["dedup_key"]: "resolved"}
    assert not Job.objects.filter(state=JobState.PENDING).exists()


def test_slack_gets_words_that_its_own_rules_take(slack: Service, work: Work) -> None:
    raise_alert(DOWN, subject="broker", facts={"seconds": 12})
    work()
    resolve_alert(DOWN, "broker")
    work()
    opened, resolved = slack.texts()
    assert "*Critical* – System down: broker" in opened and "• seconds: `12`" in opened
    assert "*Resolved* – System down: broker" in resolved and "Raised once" in resolved
    assert slack.refused == []


def test_slack_s_control_characters_are_written_out() -> None:
    assert escaped("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"
    alert = Alert(event=DOWN, severity="CRITICAL", subject="<!channel>", opened_at=NOON, facts={"a<b": "x&y"})
    body = json.loads(Slack().body(message_of(alert, step=Step.TRIGGER)))
    assert slack_problem(body) == ""
    assert "&lt;!channel&gt;" in body["text"]


def test_a_message_never_passes_slack_s_length(slack: Service, work: Work) -> None:
    raise_alert(DOWN, facts={f"fact{n}" + "x" * 100: "y@" * 64 for n in range(20)})
    work()
    assert len(slack.got) == 1 and slack.refused == []


def test_severity_decides_who_is_told(pagerduty: Service, slack: Service, work: Work) -> None:
    raise_alert(AlertEvent.QUEUE_BACKLOG, severity="WARNING")
    work()
    assert (len(pagerduty.got), len(slack.got)) == (0, 1)
    raise_alert(AlertEvent.QUEUE_BACKLOG, severity="CRITICAL")
    work()
    assert (len(pagerduty.got), len(slack.got)) == (1, 2)
    assert pagerduty.got[0]["payload"]["severity"] == "critical"


def test_without_a_channel_an_alert_is_kept_and_nobody_is_told() -> None:
    raise_alert(DOWN)
    assert Alert.objects.count() == 1
    assert not AlertTelling.objects.exists() and not Job.objects.exists()


def test_an_acknowledgement_is_told_to_pagerduty_alone(pagerduty: Service, slack: Service, work: Work) -> None:
    alert_id = raise_alert(DOWN).alert_id
    work()
    acknowledge_alert(alert_id=alert_id, by="olga", now=timezone.now())
    work()
    assert [event["event_action"] for event in pagerduty.got] == ["trigger", "acknowledge"]
    assert list(pagerduty.incidents.values()) == ["acknowledged"]
    assert len(slack.got) == 1


def test_what_is_over_before_it_was_told_wakes_nobody(pagerduty: Service, slack: Service, work: Work) -> None:
    raise_alert(DOWN)
    resolve_alert(DOWN)
    work()
    assert pagerduty.got == [] and slack.got == []
    assert set(AlertTelling.objects.values_list("state", flat=True)) == {"NOT_NEEDED"}


@pytest.mark.parametrize("status", [429, 500, 503, HANG])
def test_a_service_that_fails_is_tried_again(
    pagerduty: Service, work: Work, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 0.3 if status == HANG else 10.0
    monkeypatch.setattr(delivering, "_LIMITS", Limits(connect_seconds=10.0, total_seconds=seconds))
    pagerduty.orders = [(status, {})] * 2
    raise_alert(DOWN)
    assert work() == 1
    telling = AlertTelling.objects.get()
    assert (telling.state, telling.attempts, telling.begun) == ("PENDING", 1, True)
    assert telling.error_code == ("timeout" if status == HANG else f"http_{status}")
    assert work() == 0, "not before its time"
    assert work(later=5) == 1
    assert work(later=60) == 1
    assert [event["event_action"] for event in pagerduty.got] == ["trigger"]
    assert [code for _kind, _channel, code in history(kind="NOTIFIED")] == ["TRIGGER"]


def test_the_pause_that_slack_asks_for_is_kept(slack: Service, work: Work) -> None:
    slack.orders = [(429, {"Retry-After": "45"})]
    raise_alert(DOWN)
    work()
    assert work(later=40) == 0
    assert work(later=46) == 1
    assert len(slack.got) == 1


def test_nobody_there_is_tried_again(pagerduty: Service, settings: Any, work: Work) -> None:
    there = settings.PAGERDUTY_URL
    settings.PAGERDUTY_URL = "http://127.0.0.1:1/v2/enqueue"
    raise_alert(DOWN)
    work()
    assert AlertTelling.objects.get().error_code == "connect_failed"
    settings.PAGERDUTY_URL = there
    work(later=5)
    assert len(pagerduty.got) == 1


def test_an_event_that_pagerduty_refuses_is_not_sent_again(pagerduty: Service, settings: Any, work: Work) -> None:
    settings.PAGERDUTY_ROUTING_KEY = "too-short"
    raise_alert(DOWN)
    work()
    telling = AlertTelling.objects.get()
    assert (telling.state, telling.error_code, telling.has_job) == ("FAILED", "http_400", False)
    assert pagerduty.refused == ["routing_key is missing or is not 32 characters long"]
    assert history(kind="NOT_NOTIFIED") == [("NOT_NOTIFIED", "PAGERDUTY", "http_400")]
    assert work(later=10_000) == 0


def test_the_end_is_told_even_when_the_page_had_failed(pagerduty: Service, settings: Any, work: Work) -> None:
    """The page may have arrived although its answer said otherwise."""
    pagerduty.orders = [(400, {})]
    raise_alert(DOWN)
    work()
    resolve_alert(DOWN)
    work()
    assert [event["event_action"] for event in pagerduty.got] == ["resolve"]


def test_an_address_that_may_not_be_called_is_not_called(settings: Any, pagerduty: Service, work: Work) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    raise_alert(DOWN)
    work()
    telling = AlertTelling.objects.get()
    assert (telling.state, telling.error_code) == ("FAILED", "webhook_url_refused")


def test_an_open_breaker_keeps_calls_back_and_loses_none(pagerduty: Service, work: Work) -> None:
    force_breaker_open(name="alerts.pagerduty", by="olga", now=timezone.now())
    raise_alert(DOWN)
    work()
    telling = AlertTelling.objects.get()
    assert (telling.error_code, telling.attempts, telling.state) == ("breaker_open", 0, "PENDING")
    assert pagerduty.statuses == []
    reset_breaker(name="alerts.pagerduty", by="olga", now=timezone.now())
    work(later=60)
    assert len(pagerduty.got) == 1


def test_refusals_do_not_open_the_breaker_and_failures_do(pagerduty: Service, settings: Any, work: Work) -> None:
    settings.BREAKER_MIN_CALLS = 3
    pagerduty.orders += [(400, {})] * 4 + [(500, {})] * 20
    for number in range(4):
        raise_alert(DOWN, subject=f"a{number}")
    work()
    assert len(pagerduty.statuses) == 4
    for number in range(8):
        raise_alert(DOWN, subject=f"b{number}")
    work()
    assert 4 < len(pagerduty.statuses) < 12
    assert AlertTelling.objects.filter(error_code="breaker_open").exists()


def test_what_changes_while_it_is_sent_is_told_after_it(pagerduty: Service) -> None:
    raise_alert(DOWN)
    job = Job.objects.get()
    lease = take_job(job_id=job.id, now=timezone.now())
    assert lease is not None

    def resolve_meanwhile(*args: Any, **kwargs: Any) -> Any:
        resolve_alert(DOWN)
        return post(*args, **kwargs)

    delivering.tell_channel(lease=lease, send=resolve_meanwhile)
    assert Job.objects.filter(state=JobState.PENDING).count() == 1, "the same job goes on, no second one runs beside it"
    again = take_job(job_id=job.id, now=timezone.now())
    assert again is not None
    delivering.tell_channel(lease=again)
    assert [event["event_action"] for event in pagerduty.got] == ["trigger", "resolve"]
    assert list(pagerduty.incidents.values()) == ["resolved"]


def test_a_worker_that_was_overtaken_writes_nothing(pagerduty: Service) -> None:
    raise_alert(DOWN)
    lease = take_job(job_id=Job.objects.get().id, now=timezone.now())
    assert lease is not None
    Job.objects.update(token=None, lease_expires_at=None, state=JobState.PENDING)
    with pytest.raises(LeaseLost):
        delivering.tell_channel(lease=lease)
    assert AlertTelling.objects.get().told == "" and not history(kind="NOTIFIED")


def test_a_killed_attempt_is_made_again_and_stays_one_incident(pagerduty: Service, work: Work) -> None:
    raise_alert(DOWN)
    lease = take_job(job_id=Job.objects.get().id, now=timezone.now())
    assert lease is not None
    order = delivering._begin(lease=lease, now=timezone.now())
    assert order is not None
    delivering.call_channel(order.channel, order.channel.body(order.message))
    Job.objects.update(token=None, lease_expires_at=None, state=JobState.PENDING)  # the lease lapsed
    work()
    assert len(pagerduty.got) == 2
    assert list(pagerduty.incidents.values()) == ["triggered"]


def test_a_telling_whose_job_died_says_so_and_the_end_is_told(pagerduty: Service, work: Work) -> None:
    raise_alert(DOWN)
    Job.objects.update(attempts=5)
    bury_spent_jobs(now=timezone.now() + timedelta(minutes=5))
    assert Job.objects.get().state == JobState.DEAD
    telling = AlertTelling.objects.get()
    assert (telling.state, telling.has_job, telling.error_code) == ("FAILED", False, "worker_lost")
    raise_alert(DOWN, severity="CRITICAL")
    acknowledge_alert(alert_id=Alert.objects.get().id, by="olga", now=timezone.now())
    work()
    assert Job.objects.filter(state=JobState.SUCCEEDED).count() == 1


def test_nothing_personal_leaves(pagerduty: Service, slack: Service, work: Work) -> None:
    raise_alert(DOWN, subject="ada@example.org", facts={"from": "10.1.2.3", "api_key": "clm_live_abc123"})
    Alert.objects.update(facts={"from": "ada@example.org", "phone": "+49 30 123456"})  # as if it had got into the row
    work()
    said = json.dumps([pagerduty.got, slack.got])
    assert "ada@" not in said and "10.1.2.3" not in said and "abc123" not in said and "123456" not in said
    assert "[email]" in said


def test_links_lead_to_the_alert_where_the_installation_knows_its_address(
    pagerduty: Service, slack: Service, work: Work, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://claims.example"
    alert_id = raise_alert(DOWN).alert_id
    work()
    link = f"https://claims.example/admin/observability/alert/{alert_id}/change/"
    assert pagerduty.got[0]["client_url"] == link
    assert pagerduty.got[0]["payload"]["source"] == "claims.example"
    assert f"<{link}|Open the alert>" in slack.texts()[0]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ({"event_action": "trigger"}, "routing_key"),
        ({"routing_key": "R" * 32, "event_action": "page"}, "event_action"),
        ({"routing_key": "R" * 32, "event_action": "resolve"}, "dedup_key"),
        ({"routing_key": "R" * 32, "event_action": "trigger"}, "payload"),
        ({"routing_key": "R" * 32, "event_action": "trigger", "payload": {"summary": "a", "source": "b"}}, "severity"),
        (
            {
                "routing_key": "R" * 32,
                "event_action": "trigger",
                "payload": {"summary": "a" * 1025, "source": "b", "severity": "info"},
            },
            "1024",
        ),
    ],
)
def test_the_receiver_of_these_tests_refuses_what_pagerduty_refuses(event: dict[str, Any], problem: str) -> None:
    assert problem in pagerduty_problem(event)


@pytest.mark.django_db(transaction=True)
def test_a_worker_tells_both_channels(pagerduty: Service, slack: Service) -> None:
    """As it runs in production: a job each, with a lease, a heartbeat and commits."""
    with transaction.atomic():
        raise_alert(DOWN, subject="broker")
    for job_id in Job.objects.values_list("id", flat=True):
        run_job(job_id)
    with transaction.atomic():
        resolve_alert(DOWN, "broker")
    for job_id in Job.objects.filter(state=JobState.PENDING).values_list("id", flat=True):
        run_job(job_id)
    connection.close()
    assert list(pagerduty.incidents.values()) == ["resolved"]
    assert len(slack.got) == 2
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.SUCCEEDED}
