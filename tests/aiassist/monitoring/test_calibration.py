"""`GET /monitoring/calibration`, its page, and the moment when a tenant's own labels take over."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from aiassist.assessment.tenant_conformal import FEWEST_PER_CLASS
from aiassist.choices import FraudModelState
from aiassist.models import CalibrationCase, FraudModelVersion
from aiassist.monitoring.selectors import calibration_in_force
from aiassist.monitoring.watching import watch_tenants
from aiassist.types import Severity
from observability.alerts.choices import AlertState
from observability.alerts.models import Alert
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.aiassist.monitoring.cases import label_cases
from tests.people import Person

API, PAGE, MODELS = "/api/v1/monitoring/calibration", "/desk/monitoring/calibration/", "/desk/monitoring/fraud-model/"
ROOT = Path(__file__).resolve().parent.parent.parent.parent
PLENTY = dict.fromkeys(Severity, 60)


def state_of(person: Person, **query: Any) -> dict[str, Any]:
    answer = person.api().get(API, query)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def test_calibration_says_that_there_are_no_labels_yet(adam: Person) -> None:
    body = state_of(adam)
    nothing = {
        "labels": 0, "coverage": None, "interval": None, "mean_set_size": None, "state": "NOT_ENOUGH_LABELS",
    }  # fmt: skip
    assert body["overall"] == nothing
    assert body["over_time"] == [] and body["alarm"] is False
    assert (body["calibration_source"], body["coverage_target"], body["needed_per_class"]) == ("RENDERED", 0.9, 50)
    assert [row["severity"] for row in body["classes"]] == ["NONE", "LOW", "MEDIUM", "HIGH"]


def test_calibration_compares_shown_sets_with_blind_labels(adam: Person) -> None:
    label_cases(adam.tenant, per_class=PLENTY | {Severity.HIGH: 40}, covered=0.95)
    body = state_of(adam)
    assert body["overall"]["labels"] == 220
    assert body["overall"]["coverage"] == pytest.approx(0.95, abs=0.01)
    low, high = body["overall"]["interval"]
    assert low < 0.95 < high and body["overall"]["state"] == "ON_TARGET"
    assert len(body["over_time"]) >= 5
    assert [row["calibration_cases"] for row in body["classes"]] == [60, 60, 60, 40]
    assert body["calibration_source"] == "RENDERED", "one class has too few cases"
    assert body["classes"][0]["allowed_misses"] is None


def test_calibration_raises_the_alarm_for_a_broken_class(adam: Person) -> None:
    label_cases(adam.tenant, per_class=dict.fromkeys(Severity, 60), covered=0.97)
    label_cases(adam.tenant, per_class={Severity.HIGH: 60}, covered=0.5)
    body = state_of(adam)
    states = {row["severity"]: row["state"] for row in body["classes"]}
    assert body["alarm"] is True
    assert (states["HIGH"], states["LOW"]) == ("BELOW_TARGET", "ON_TARGET")


def calibration_alerts() -> list[tuple[str, str, dict[str, Any]]]:
    rows = Alert.objects.filter(event="DRIFT_DETECTED", subject="calibration").exclude(state=AlertState.RESOLVED)
    return list(rows.values_list("tenant_ref", "severity", "facts"))


def test_the_alarm_of_a_broken_class_is_an_alert_until_it_is_over(adam: Person, zoe: Person) -> None:
    now = timezone.now()
    label_cases(adam.tenant, per_class=dict.fromkeys(Severity, 120), covered=0.97)
    label_cases(zoe.tenant, per_class=dict.fromkeys(Severity, 60), covered=0.97)
    watch_tenants(now=now)
    assert calibration_alerts() == []
    label_cases(adam.tenant, per_class={Severity.HIGH: 60}, covered=0.5)
    watch_tenants(now=timezone.now())
    watch_tenants(now=timezone.now())
    [(tenant, severity, facts)] = calibration_alerts()
    assert (tenant, severity) == (str(adam.tenant.id), "WARNING")
    assert (facts["classes_below"], facts["first_class"], facts["coverage_target"]) == (1, "HIGH", 0.9)
    assert state_of(adam)["alarm"] is True
    watch_tenants(now=now + timedelta(days=181))  # those labels are out of the days that are looked at
    assert calibration_alerts() == []


def test_a_promise_that_is_broken_for_all_claims_is_graver(adam: Person) -> None:
    label_cases(adam.tenant, per_class=dict.fromkeys(Severity, 60), covered=0.6)
    watch_tenants(now=timezone.now())
    [(_tenant, severity, facts)] = calibration_alerts()
    assert (severity, facts["coverage_state"], facts["classes_below"]) == ("ERROR", "BELOW_TARGET", 4)


def test_too_few_labels_call_nobody(adam: Person) -> None:
    label_cases(adam.tenant, per_class={Severity.HIGH: 20}, covered=0.0)
    watch_tenants(now=timezone.now())
    assert calibration_alerts() == []


def test_the_tenants_own_labels_take_over_when_every_class_has_enough(adam: Person) -> None:
    few = PLENTY | {Severity.HIGH: FEWEST_PER_CLASS - 1}
    label_cases(adam.tenant, per_class=few)
    label_cases(adam.tenant, per_class=PLENTY, version="severity-0")
    with tenant_scope(adam.tenant.id):
        assert calibration_in_force() is None, "another model's cases say nothing about this one"
    label_cases(adam.tenant, per_class={Severity.HIGH: 1})
    with tenant_scope(adam.tenant.id):
        calibration = calibration_in_force()
    assert calibration is not None
    body = state_of(adam)
    assert body["calibration_source"] == "TENANT"
    assert [row["allowed_misses"] for row in body["classes"]] == [0.1] * 4, "no set was shown under it yet"


def test_sets_that_were_shown_under_the_tenants_calibration_move_what_a_class_allows(adam: Person) -> None:
    label_cases(adam.tenant, per_class=PLENTY)
    label_cases(adam.tenant, per_class={Severity.HIGH: 5}, covered=0.0, source="TENANT")
    label_cases(adam.tenant, per_class={Severity.LOW: 5}, covered=1.0, source="TENANT")
    allowed = {row["severity"]: row["allowed_misses"] for row in state_of(adam)["classes"]}
    assert allowed["HIGH"] == pytest.approx(0.01) and allowed["LOW"] == pytest.approx(0.11)
    assert allowed["NONE"] == 0.1


def test_another_tenants_labels_calibrate_nothing(adam: Person, zoe: Person) -> None:
    label_cases(zoe.tenant, per_class=PLENTY)
    body = state_of(adam)
    assert body["overall"]["labels"] == 0 and body["calibration_source"] == "RENDERED"


def test_calibration_looks_back_as_far_as_it_is_asked(adam: Person) -> None:
    label_cases(adam.tenant, per_class=PLENTY, until=timezone.now() - timedelta(days=400), days=10)
    label_cases(adam.tenant, per_class={Severity.LOW: 7}, days=10)
    with tenant_scope(adam.tenant.id):
        last = CalibrationCase.objects.order_by("-labelled_at").first()
        assert last is not None
        CalibrationCase.objects.filter(id=last.id).update(true_label="")
    assert (state_of(adam)["overall"]["labels"], state_of(adam)["cannot_tell"]) == (6, 1)
    assert state_of(adam, days=500)["overall"]["labels"] == 246
    for days in ("0", "731", "x", "-1", "1.5", ""):
        assert adam.api().get(API, {"days": days}).status_code == 400, days
    assert adam.api().get(API, {"since": "2026"}).json()["code"] == "unknown_parameter"


def test_calibration_refuses_a_stranger_and_everyone_but_an_administrator(
    ada: Person, sam: Person, cleo: Person, audrey: Person
) -> None:
    assert APIClient(raise_request_exception=False).get(API).status_code == 401
    for person in (ada, sam, cleo, audrey):
        assert person.api().get(API).status_code == 403


def test_pages_refuse_a_stranger_and_who_does_not_supervise(ada: Person, cleo: Person, audrey: Person) -> None:
    for page in (PAGE, MODELS):
        assert Client().get(page).headers["Location"] == f"/sign-in/?next={page}"
        for person in (ada, cleo, audrey):
            assert person.browser().get(page).status_code == 403


def test_the_page_tells_in_words_what_it_draws(sam: Person) -> None:
    label_cases(sam.tenant, per_class=PLENTY | {Severity.NONE: 12}, covered=0.95)
    label_cases(sam.tenant, per_class={Severity.HIGH: 80}, covered=0.4)
    text = sam.browser().get(PAGE).content.decode()
    assert "Below target:</strong> All, High." in text
    assert "Not enough labels" in text and "Rendered clips" in text and "12 of 50" in text
    assert text.count('<circle class="ch-point') > 5
    assert "Months in words" in text


def test_the_page_without_labels_draws_no_figure(sam: Person) -> None:
    text = sam.browser().get(PAGE).content.decode()
    assert "No label was given in this time." in text
    assert 'class="ch-point' not in text and "no labels" in text


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("per_class", [2, 60])
def test_the_page_costs_the_same_for_few_and_many_labels(
    sam: Person, per_class: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    label_cases(sam.tenant, per_class=dict.fromkeys(Severity, per_class))
    browser = sam.browser()
    # session, person, memberships twice, labels, those that cannot be told, cases twice, newest of each class, stream
    with django_assert_max_num_queries(14):
        assert browser.get(PAGE).status_code == 200


def model_version(person: Person, number: int, *, passed: bool = True) -> None:
    with tenant_scope(person.tenant.id):
        FraudModelVersion.objects.create(
            number=number,
            state=FraudModelState.CANDIDATE if passed else FraudModelState.REFUSED,
            document={},
            card=f"# Fraud model fraud-{number}",
            passed=passed,
            refusals=[] if passed else [{"code": "not_above_scorecard", "detail": "The gain may be nothing."}],
            trained_at=timezone.now(),
        )


def test_an_administrator_puts_a_fraud_model_into_use_and_takes_it_out(adam: Person, sam: Person) -> None:
    model_version(adam, 1)
    model_version(adam, 2, passed=False)
    browser = adam.browser()
    text = browser.get(MODELS).content.decode()
    assert "# Fraud model fraud-1" in text and "The gain may be nothing." in text and "Use fraud-2" not in text
    assert "Use fraud-1" in text and "Use fraud-1" not in sam.browser().get(MODELS).content.decode()
    assert sam.browser().post(MODELS, {"action": "activate", "number": "1"}).status_code == 403
    answer = browser.post(MODELS, {"action": "activate", "number": "1"}, follow=True)
    assert "fraud-1 scores claims from now on." in answer.content.decode()
    refused = browser.post(MODELS, {"action": "activate", "number": "2"}, follow=True)
    assert "did not pass the gate" in refused.content.decode()
    assert browser.post(MODELS, {"action": "activate", "number": "x"}).status_code == 400
    answer = browser.post(MODELS, {"action": "retire", "number": "1"}, follow=True)
    assert "The scorecard stands alone again." in answer.content.decode()
    with tenant_scope(adam.tenant.id):
        events = list(AuditEvent.objects.order_by("id").values_list("event", "actor_name"))
    assert events == [("fraud_model.activated", "Adam"), ("fraud_model.retired", "Adam")]


def test_serving_and_assessing_load_no_training_library() -> None:
    words = (
        "import sys, django; django.setup(); import config.urls, claims.tasks, claims.services; "
        "print('sklearn' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"
