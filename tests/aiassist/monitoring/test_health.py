"""Model health at its edges: looks, alerts once per episode, reports that never change, the API and the commands."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from aiassist.models import DriftLook, DriftReference, HealthReport, Observation
from aiassist.monitoring.operating import health_panel
from aiassist.monitoring.watching import HEALTH_JOB, look_at_claims, report_tenants, watch_tenants
from aiassist.tasks import check_health
from observability.alerts.choices import AlertState
from observability.alerts.models import Alert
from observability.choices import JobState
from observability.desk import Tone
from observability.jobs import take_job
from observability.metrics import scrape_sources
from observability.models import Job
from tenancy.guards import missing_guard_triggers
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.aiassist.monitoring.claims_seen import drifting, see_claims
from tests.people import Person

DRIFT, BIAS, RUN = "/api/v1/monitoring/drift", "/api/v1/monitoring/bias", "/api/v1/monitoring/run"
PAGES = "/desk/monitoring/"
REPORTS, REFERENCE = "/api/v1/monitoring/reports", "/api/v1/monitoring/reference"


def answer(person: Person, path: str) -> dict[str, Any]:
    found = person.api().get(path)
    assert found.status_code == 200, found.content
    body: dict[str, Any] = found.json()
    return body


def looked(person: Person) -> int:
    with tenant_scope(person.tenant.id):
        return look_at_claims(now=timezone.now())


def work_off(person: Person) -> Job:
    """Have the worker do the only open job."""
    job = Job.objects.get(kind=HEALTH_JOB, state=JobState.PENDING)
    lease = take_job(job_id=job.id, now=timezone.now() + timedelta(seconds=1))
    assert lease is not None
    check_health(lease)
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED and job.tenant_ref == str(person.tenant.id)
    return job


def open_alerts() -> list[tuple[str, str, int]]:
    rows = Alert.objects.exclude(state=AlertState.RESOLVED).order_by("event")
    return list(rows.values_list("event", "severity", "count"))


def test_drift_says_that_there_is_not_enough_yet(adam: Person) -> None:
    assert answer(adam, DRIFT)["status"] == "NOT_ENOUGH_YET" and answer(adam, DRIFT)["reference"] is None
    see_claims(adam.tenant, 1_300)
    assert looked(adam) == 0
    body = answer(adam, DRIFT)
    assert (body["status"], body["reference"]["claims"], body["trend"]) == ("NOT_ENOUGH_YET", 1_000, [])


def test_a_steady_stream_is_looked_at_once_each_hundred_claims_and_stays_quiet(adam: Person) -> None:
    see_claims(adam.tenant, 1_650, agreed=0.85)
    assert looked(adam) == 3 and looked(adam) == 0
    body = answer(adam, DRIFT)
    assert (body["status"], body["level"], len(body["trend"])) == ("STABLE", "NONE", 3)
    assert {found["name"] for found in body["findings"]["features"]} > {"impact_jolt_z", "fraud_risk_score"}
    agreement = body["findings"]["agreement"]
    assert (
        agreement["value"] == pytest.approx(0.85, abs=0.06)
        and agreement["change"]["low"] < 0 < agreement["change"]["high"]
    )
    assert open_alerts() == []


def test_a_moved_feature_opens_one_episode_and_one_alert_and_both_end(adam: Person) -> None:
    now = timezone.now() - timedelta(minutes=5)
    start = now - timedelta(days=12)
    end = see_claims(adam.tenant, 1_400, since=start)
    end = see_claims(adam.tenant, 500, since=end, moved=0.5, seed=2)
    assert looked(adam) == 6
    body = answer(adam, DRIFT)
    first = body["findings"]["features"][0]
    assert (body["status"], first["name"]) == ("DRIFT", "impact_jolt_z")
    assert first["moved_sd"] == pytest.approx(0.5, abs=0.15) and first["p_value"] < 1e-4
    assert [found["name"] for found in body["findings"]["features"] if found["level"] != "NONE"] == ["impact_jolt_z"]
    with tenant_scope(adam.tenant.id):
        watch_tenants(now=timezone.now())
    [(event, _severity, count)] = open_alerts()
    assert event == "DRIFT_DETECTED" and count >= 1
    assert Alert.objects.count() == 1, "one alert for the episode, however often it is seen"
    see_claims(adam.tenant, 800, since=end, seed=3)
    looked(adam)
    assert answer(adam, DRIFT)["status"] == "STABLE" and open_alerts() == []


@pytest.mark.parametrize(
    ("change", "part", "events"),
    [
        ({"mix": (0.25, 0.2, 0.25, 0.3)}, "predictions", ["DRIFT_DETECTED"]),
        ({"agreed": 0.6}, "agreement", ["DRIFT_DETECTED", "MODEL_FAILURE"]),
        ({"degraded": 0.5}, "service", ["DRIFT_DETECTED", "MODEL_FAILURE"]),
    ],
)
def test_each_kind_of_change_is_named_as_what_it_is(
    adam: Person, change: dict[str, Any], part: str, events: list[str]
) -> None:
    end = see_claims(adam.tenant, 1_400, since=timezone.now() - timedelta(days=10), agreed=0.9)
    see_claims(adam.tenant, 400, since=end, seed=5, **({"agreed": 0.9} | change))
    looked(adam)
    findings = answer(adam, DRIFT)["findings"]
    assert findings[part]["level"] in ("MODERATE", "SEVERE")
    others = {"predictions", "agreement", "service"} - {part}
    assert {findings[name]["level"] for name in others} == {"NONE"}
    assert [event for event, _severity, _count in open_alerts()] == events


def test_an_administrator_accepts_the_new_normal(adam: Person, ada: Person) -> None:
    assert adam.api().post(REFERENCE, {"reason": "New cameras"}, format="json").status_code == 409
    end = see_claims(adam.tenant, 1_400, since=timezone.now() - timedelta(days=12))
    see_claims(adam.tenant, 1_000, since=end, moved=1.0, seed=2)
    looked(adam)
    assert len(open_alerts()) == 1
    assert ada.api().post(REFERENCE, {"reason": "New cameras"}, format="json").status_code == 403
    made = adam.api().post(REFERENCE, {"reason": "New cameras"}, format="json")
    assert (made.status_code, made.json()["number"]) == (201, 2)
    looked(adam)
    assert open_alerts() == [] and answer(adam, DRIFT)["status"] == "NOT_ENOUGH_YET"
    with tenant_scope(adam.tenant.id):
        assert AuditEvent.objects.filter(event="drift_reference.set").count() == 1


def test_another_model_begins_another_reference(adam: Person) -> None:
    end = see_claims(adam.tenant, 1_500, since=timezone.now() - timedelta(days=12), version="severity-0")
    assert looked(adam) == 0 and answer(adam, DRIFT)["reference"] is None
    see_claims(adam.tenant, 30, since=end)
    looked(adam)
    assert answer(adam, DRIFT)["reference"]["claims"] == 30


def test_a_report_is_made_on_demand_and_stays_as_it_was(adam: Person) -> None:
    see_claims(adam.tenant, 1_450, agreed=0.85)
    asked = adam.api().post(RUN)
    assert asked.status_code == 202
    job = work_off(adam)
    task = answer(adam, asked.json()["links"]["task"])
    assert job.result is not None
    assert task["status"] == "SUCCEEDED" and task["result"]["report_id"] == job.result["report_id"]
    report = answer(adam, f"{REPORTS}/{job.result['report_id']}")
    assert (report["cause"], report["status"]) == ("ON_DEMAND", "HEALTHY")
    assert report["document"]["drift"]["status"] == "STABLE" and report["recommendations"] == []
    assert [item["id"] for item in answer(adam, REPORTS)["items"]] == [report["id"]]
    with tenant_scope(adam.tenant.id):
        for change in ("UPDATE aiassist_healthreport SET status = 'HEALTHY'", "DELETE FROM aiassist_driftlook"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(change)
    assert missing_guard_triggers() == []


def test_the_day_has_one_report_and_watching_enqueues_only_what_is_due(adam: Person) -> None:
    assert watch_tenants(now=timezone.now()) == 0
    assert report_tenants(now=timezone.now()) == 1 == report_tenants(now=timezone.now()) + 1
    work_off(adam)
    assert report_tenants(now=timezone.now()) == 0
    with tenant_scope(adam.tenant.id):
        report = HealthReport.objects.get()
        assert (report.cause, report.status) == ("SCHEDULED", "NOT_ENOUGH_DATA")
        assert [one["code"] for one in report.document["recommendations"]] == ["collect_claims"]
    see_claims(adam.tenant, 1_400)
    assert watch_tenants(now=timezone.now()) == 1 == watch_tenants(now=timezone.now()) + 1
    work_off(adam)
    with tenant_scope(adam.tenant.id):
        assert (DriftLook.objects.count(), HealthReport.objects.count()) == (1, 1)


def test_bias_names_the_group_and_not_the_noise(adam: Person) -> None:
    see_claims(adam.tenant, 600, agreed=0.9)
    with tenant_scope(adam.tenant.id):
        for place, row in enumerate(Observation.objects.order_by("observed_at")):
            channel = "WEB" if place % 3 == 0 else "BROKER"
            row.groups = {"channel": channel, "sound": "YES" if place % 2 else "NO"}
            row.decision = "REJECT" if place % 30 < (15 if channel == "WEB" else 6) else "APPROVE"
            row.save()
    body = answer(adam, BIAS)
    states = {(row["attribute"], row["group"], row["outcome"]): row for row in body["impacts"]}
    assert body["alarm"] and body["decided"] == 600
    assert states["channel", "WEB", "APPROVED"]["state"] == "DISPARATE"
    assert states["channel", "WEB", "REJECTED"]["value"] == pytest.approx(0.4, abs=0.01)
    assert states["sound", "NO", "APPROVED"]["state"] in ("FAIR", "UNSURE")
    assert {row["state"] for row in body["accuracies"]} <= {"FAIR", "UNSURE"}
    assert adam.api().get(BIAS, {"days": "0"}).status_code == 400


def test_the_commands_say_the_same(adam: Person) -> None:
    see_claims(adam.tenant, 1_400)
    out = io.StringIO()
    call_command("model_health", "--tenant", adam.tenant.slug, "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert (found["status"], found["looks"]) == ("HEALTHY", 1)
    call_command("fill_observations", "--tenant", adam.tenant.slug, "--json", stdout=(filled := io.StringIO()))
    assert json.loads(filled.getvalue()) == {"tenant": adam.tenant.slug, "filled": 0}


def test_another_tenant_sees_and_moves_nothing(adam: Person, zoe: Person) -> None:
    see_claims(zoe.tenant, 1_400)
    looked(zoe)
    assert answer(adam, DRIFT)["reference"] is None and answer(adam, BIAS)["decided"] == 0
    with tenant_scope(zoe.tenant.id):
        assert DriftReference.objects.count() == 1


@pytest.mark.parametrize("path", [DRIFT, BIAS, REPORTS])
def test_model_health_is_for_administrators(ada: Person, cleo: Person, audrey: Person, path: str) -> None:
    for person in (ada, cleo, audrey):
        assert person.api().get(path).status_code == 403
    assert ada.api().post(RUN).status_code == 403


def test_the_pages_tell_in_words_what_they_draw(sam: Person, adam: Person, ada: Person) -> None:
    for page in ("drift/", "bias/", "reports/"):
        assert ada.browser().get(f"{PAGES}{page}").status_code == 403
        assert sam.browser().get(f"{PAGES}{page}").status_code == 200
    report_id = drifting(adam.tenant)
    drift = adam.browser().get(f"{PAGES}drift/").content.decode()
    assert "Claims have changed." in drift and "impact jolt z" in drift and "Looks in words" in drift
    bias = adam.browser().get(f"{PAGES}bias/").content.decode()
    assert "Below the rule, hardly by chance:</strong>" in bias and "channel WEB" in bias
    report = sam.browser().get(f"{PAGES}reports/{report_id}/").content.decode()
    assert "Look at new cameras" in report and "Unhealthy" in report
    assert sam.browser().post(f"{PAGES}reports/").status_code == 403
    made = adam.browser().post(f"{PAGES}reports/", follow=True).content.decode()
    assert "The report is being made" in made
    assert adam.browser().post(f"{PAGES}drift/", {"reason": ""}).status_code == 400
    accepted = adam.browser().post(f"{PAGES}drift/", {"reason": "New cameras"}, follow=True).content.decode()
    assert "Reference 2 is in force" in accepted and "Claims have changed." not in accepted


def test_the_operator_sees_how_many_and_never_whose(adam: Person) -> None:
    assert health_panel(timezone.now()).headline == "No report yet"
    drifting(adam.tenant)
    state = health_panel(timezone.now())
    assert (state.tone, state.headline) == (Tone.BAD, "1 unhealthy")
    assert adam.tenant.slug not in str(state)
    readings = {gauge.name: read() for gauge, read in scrape_sources()}
    assert readings["claimwright_drift_episodes"] == {(): 1.0}
    assert readings["claimwright_model_health_tenants"][("UNHEALTHY",)] == 1.0
