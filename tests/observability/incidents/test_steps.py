"""Steps of a runbook: run once whoever is first, ticked off, or skipped with a reason; all of it on the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError
from django.utils import timezone

from observability.breakers import ask_permit, facts_of, force_breaker_open, record_call, reset_breaker
from observability.choices import BreakerState, JobState
from observability.dead_letters import kill_job
from observability.errors import NotFound
from observability.incidents import actions, steps
from observability.incidents.actions import Action, ActionCall, ActionResult
from observability.incidents.choices import IncidentKind, StepState, TimelineKind
from observability.incidents.errors import IncidentMoved, ReasonNeeded, StepByHand, StepRuns, StepTaken, TargetNeeded
from observability.incidents.models import Incident, IncidentStep
from observability.incidents.services import acknowledge_incident, resolve_incident
from observability.incidents.steps import run_step, skip_step, tick_step
from observability.models import Job, RequestMinute, WorkerHeartbeat
from tests.observability.incidents.troubles import OLGA, PAVEL, an_incident, told
from tests.observability.test_races import THREADS, all_at_once
from tests.observability.work import NOON, known_kind, make_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nobody_is_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("observability.sweeping.publish_job", lambda job_id: True)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ActionCall]]:
    """The incident's first step runs an action that counts its calls."""
    calls: list[ActionCall] = []

    def count(call: ActionCall) -> ActionResult:
        calls.append(call)
        return ActionResult(ok=True, output="done for zoe.quist@example.org")

    monkeypatch.setitem(actions._actions, "count", Action("count", "Counts.", count))
    yield calls


def with_action(incident: Incident, name: str, **columns: object) -> Incident:
    IncidentStep.objects.filter(incident=incident, position=1).update(action=name, **columns)
    return incident


def run_first(incident: Incident, **more: str) -> IncidentStep:
    return run_step(number=incident.number, position=1, actor=OLGA, now=timezone.now(), **more)


def test_a_step_runs_and_keeps_what_came_of_it_masked(counted: list[ActionCall]) -> None:
    incident = with_action(an_incident(), "count")
    step = run_first(incident)
    assert (step.state, step.by, step.output) == ("DONE", "Olga Operator", "done for [email]")
    assert [(call.subject, call.target) for call in counted] == [("openai", "openai")]
    assert told(incident)[-2:] == [TimelineKind.STEP_STARTED, TimelineKind.STEP_DONE]


def test_many_operators_at_once_run_a_step_once(counted: list[ActionCall]) -> None:
    incident = with_action(an_incident(), "count")

    def try_it() -> bool:
        try:
            run_first(incident)
        except StepTaken:
            return False
        return True

    assert sorted(all_at_once(try_it)) == [False] * (THREADS - 1) + [True]
    assert len(counted) == 1
    assert told(incident).count(TimelineKind.STEP_DONE) == 1


def test_many_operators_at_once_acknowledge_and_open_once() -> None:
    numbers = {incident.number for incident in all_at_once(an_incident)}
    assert len(numbers) == 1
    incident = Incident.objects.get()
    all_at_once(partial(acknowledge_incident, number=incident.number, actor=OLGA, now=NOON))
    assert told(incident).count(TimelineKind.ACKNOWLEDGED) == 1
    assert told(incident).count(TimelineKind.OPENED) == 1


def test_a_step_that_was_given_up_runs_again_and_its_late_end_is_refused(counted: list[ActionCall]) -> None:
    incident = with_action(an_incident(), "count")
    step = IncidentStep.objects.select_related("incident").get(incident=incident, position=1)
    late = steps._take(step, PAVEL, timezone.now() - timedelta(minutes=6))
    assert run_first(incident).state == StepState.DONE
    with pytest.raises(StepTaken):
        steps._end(step, late, StepState.FAILED, actor=PAVEL, text="late", now=timezone.now())
    assert IncidentStep.objects.get(id=step.id).by == "Olga Operator"


def test_trouble_of_an_action_fails_the_step_which_can_be_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    incident = an_incident()
    for error in (NotFound("There is no such person."), OperationalError("gone"), OSError("disk")):

        def meet_trouble(_call: ActionCall, error: Exception = error) -> ActionResult:
            raise error

        monkeypatch.setitem(actions._actions, "count", Action("count", "Counts.", meet_trouble, looks=True))
        step = run_first(with_action(incident, "count"))
        assert (step.state, str(error.args[0]) in step.output) == ("FAILED", True)
    assert told(incident).count(TimelineKind.STEP_FAILED) == 3


def test_only_a_verifying_step_fails_by_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ActionResult(ok=False, output="all is lost")
    monkeypatch.setitem(actions._actions, "count", Action("count", "Looks.", lambda _call: bad, looks=True))
    assert run_first(with_action(an_incident(), "count")).state == StepState.DONE
    verifying = with_action(an_incident(subject="local"), "count", verifies=True)
    assert run_first(verifying).state == StepState.FAILED


def test_a_step_by_hand_is_ticked_off_and_one_with_an_action_is_not() -> None:
    incident = an_incident()
    with pytest.raises(StepByHand):
        run_step(number=incident.number, position=3, actor=OLGA, now=NOON)
    with pytest.raises(StepRuns):
        tick_step(number=incident.number, position=1, actor=OLGA, now=NOON)
    step = tick_step(number=incident.number, position=3, actor=OLGA, now=NOON, note="it is the quota")
    assert (step.state, step.output) == ("DONE", "it is the quota")
    with pytest.raises(StepTaken):
        tick_step(number=incident.number, position=3, actor=PAVEL, now=NOON)


def test_a_step_is_skipped_with_a_reason() -> None:
    incident = an_incident()
    with pytest.raises(ReasonNeeded):
        skip_step(number=incident.number, position=2, actor=OLGA, now=NOON, reason="  ")
    step = skip_step(number=incident.number, position=2, actor=OLGA, now=NOON, reason="its breaker is open")
    assert (step.state, step.output) == ("SKIPPED", "its breaker is open")
    with pytest.raises(StepTaken):
        run_step(number=incident.number, position=2, actor=OLGA, now=NOON)


def test_a_step_that_asks_needs_to_be_told() -> None:
    incident = an_incident(IncidentKind.SECURITY_BREACH, subject="sign-in")
    with pytest.raises(TargetNeeded):
        run_step(number=incident.number, position=2, actor=OLGA, now=NOON)


def test_no_step_of_an_incident_that_is_over() -> None:
    incident = an_incident()
    resolve_incident(number=incident.number, actor=OLGA, now=NOON)
    with pytest.raises(IncidentMoved):
        run_first(incident)
    with pytest.raises(NotFound):
        run_step(number=incident.number, position=9, actor=OLGA, now=NOON)


def test_the_runbook_of_a_failing_model_holds_resets_and_checks_its_breaker() -> None:
    incident = an_incident(subject="openai")
    assert "openai: closed" in run_first(incident).output
    run_step(number=incident.number, position=2, actor=OLGA, now=timezone.now())
    assert facts_of(name="openai", now=timezone.now()).forced_open
    early = run_step(number=incident.number, position=5, actor=OLGA, now=timezone.now())
    assert (early.state, "held open by a person" in early.output) == ("FAILED", True)
    run_step(number=incident.number, position=4, actor=OLGA, now=timezone.now())
    now = timezone.now()
    record_call(permit=ask_permit(name="openai", now=now), failed=False, seconds=0.1, now=now)
    step = run_step(number=incident.number, position=5, actor=OLGA, now=now)
    assert (step.state, step.output) == ("DONE", "openai: closed, 0 of 1 calls failed")


def test_check_breaker_is_not_satisfied_by_a_closed_breaker_whose_calls_fail() -> None:
    incident, now = an_incident(subject="local"), timezone.now()
    reset_breaker(name="local", by="x", now=now)
    record_call(permit=ask_permit(name="local", now=now), failed=True, seconds=0.1, now=now)
    step = run_step(number=incident.number, position=5, actor=OLGA, now=now)
    assert (facts_of(name="local", now=now).state, step.state) == (BreakerState.CLOSED, "FAILED")


def test_a_breaker_that_does_not_exist_fails_the_step() -> None:
    incident = an_incident(subject="nobody")
    step = run_step(number=incident.number, position=2, actor=OLGA, now=timezone.now())
    assert (step.state, step.output.startswith("not_found")) == ("FAILED", True)


def test_the_runbook_of_a_dead_service_wakes_what_waited_and_verifies_by_a_living_worker() -> None:
    incident = an_incident(IncidentKind.SERVICE_DOWN, subject="workers")
    now = timezone.now()
    with known_kind():
        job = make_job(now=now - timedelta(minutes=5))
        far = now + timedelta(minutes=2)
        Job.objects.filter(id=job.id).update(next_publish_at=far)
        woken = run_step(number=incident.number, position=5, actor=OLGA, now=now)
        assert woken.output == "1 jobs are due, workers were woken for 1"
        early = run_step(number=incident.number, position=6, actor=OLGA, now=now)
        assert early.state == StepState.FAILED and "no worker was seen" in early.output
        Job.objects.filter(id=job.id).update(state=JobState.SUCCEEDED, finished_at=now)
    WorkerHeartbeat.objects.create(name="w1", started_at=now, seen_at=now)
    assert run_step(number=incident.number, position=6, actor=OLGA, now=now).state == StepState.DONE


def test_dead_letters_from_before_the_trouble_are_left_alone() -> None:
    incident = an_incident(IncidentKind.DATABASE_FAILURE, subject="database", now=NOON)
    with known_kind():
        old, new = make_job(), make_job()
        kill_job(old, code="worker_lost", now=NOON - timedelta(hours=1))
        kill_job(new, code="worker_lost", now=NOON + timedelta(minutes=1))
        step = run_step(number=incident.number, position=5, actor=OLGA, now=NOON + timedelta(minutes=5))
    assert step.output == "1 dead letters run again, 0 are left"
    assert [Job.objects.get(id=job.id).state for job in (old, new)] == [JobState.DEAD, JobState.PENDING]


def test_failures_are_told_by_their_codes_and_verified() -> None:
    incident = an_incident(IncidentKind.HIGH_ERROR_RATE, subject="jobs")
    now = timezone.now()
    with known_kind():
        bad = make_job(state=JobState.DEAD, finished_at=now, error_code="storage_full")
        for _ in range(8):
            make_job(state=JobState.SUCCEEDED, finished_at=now)
    assert "test.count: storage_full × 1" in run_first(incident).output
    failed = run_step(number=incident.number, position=6, actor=OLGA, now=now)
    assert (failed.state, failed.output.splitlines()[1]) == ("FAILED", "jobs in 5 min: 8 well, 1 not")
    Job.objects.filter(id=bad.id).update(state=JobState.SUCCEEDED)
    assert run_step(number=incident.number, position=6, actor=OLGA, now=now).state == StepState.DONE


@pytest.mark.parametrize(("errors", "state"), [(0, "DONE"), (4, "DONE"), (5, "FAILED")])
def test_requests_are_well_below_what_is_alerted_about(errors: int, state: str) -> None:
    incident, now = an_incident(IncidentKind.HIGH_ERROR_RATE, subject="http"), timezone.now()
    RequestMinute.objects.create(minute=int(now.timestamp()) // 60, requests=100, server_errors=errors)
    step = run_step(number=incident.number, position=6, actor=OLGA, now=now)
    assert (step.state, step.output.splitlines()[0]) == (
        state,
        f"requests in 2 min: 100, {errors} answered with 5xx",
    )


def test_a_held_breaker_is_named_by_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    incident = an_incident(IncidentKind.HIGH_ERROR_RATE, subject="requests")
    force_breaker_open(name="anthropic", by="x", now=NOON)
    assert (
        "anthropic: held open by a person"
        in run_step(number=incident.number, position=2, actor=OLGA, now=timezone.now()).output
    )
    step = run_step(number=incident.number, position=4, actor=OLGA, now=timezone.now(), target="openai")
    assert (step.state, facts_of(name="openai", now=timezone.now()).forced_open) == ("DONE", True)
