"""Dead letters: written with the death of a job, ended once, run again once, cleared away when old."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from observability import jobs, running, sweeping
from observability.choices import JobState, LetterResolution
from observability.dead_letters import (
    JobNotDead,
    LetterEnded,
    kill_job,
    letter_named,
    open_letters_by_kind,
    remove_ended_letters,
    resolve_letter,
    retry_letter,
)
from observability.errors import InvalidInput, NotFound
from observability.jobs import Lease
from observability.models import DeadLetter, Job
from observability.retries import RetryPolicy, policy_for
from tests.observability.work import NOON, known_kind, make_job, make_letter, taken

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def kind() -> Iterator[str]:
    with known_kind() as name:
        yield name


def fail(_lease: Lease) -> None:
    raise ValueError("no good: ada@example.org called from 555-867-5309")


def die(handle: Any, *, attempts: int = 4, **arguments: Any) -> DeadLetter:
    """Run a job for the last time and bury it."""
    with known_kind(handle):
        job = make_job(attempts=attempts, arguments={"name": "one", **arguments})
        with pytest.raises(Exception):  # noqa: B017  # whatever the work raised is raised again for the log
            running.run_job(job.id)
        job.refresh_from_db()
        assert sweeping.bury_spent_jobs(now=job.next_publish_at) == [job.id]
    return DeadLetter.objects.get(job=job)


def test_a_job_that_dies_leaves_a_letter_with_all_that_is_known_and_no_personal_data() -> None:
    letter = die(fail, email="ada@example.org", claim_id=str(uuid4()))
    assert (letter.reason_code, letter.attempts, letter.resolution) == ("valueerror", 5, "")
    assert "in fail" in letter.traceback and "[email]" in letter.traceback
    assert letter.arguments["name"] == "one" and len(letter.arguments["claim_id"]) == 36
    for text in (letter.traceback, json.dumps(letter.arguments)):
        assert "ada@example.org" not in text and "867-5309" not in text


def test_the_letter_knows_when_the_first_attempt_failed() -> None:
    with known_kind(fail):
        job = make_job()
        for number in range(5):
            assert jobs.put_back_job(
                lease=taken(job.id, NOON + number * timedelta(minutes=5)),
                code="timeout",
                detail="",
                now=NOON + number * timedelta(minutes=5) + timedelta(seconds=10),
            )
        sweeping.bury_spent_jobs(now=NOON + DAY)
    letter = DeadLetter.objects.get()
    assert letter.first_failed_at == NOON + timedelta(seconds=10)
    assert letter.last_failed_at == NOON + DAY


def test_a_letter_is_not_written_when_its_job_was_taken_meanwhile() -> None:
    job = make_job(attempts=5)
    Job.objects.filter(id=job.id).update(attempts=4)  # somebody replayed it since it was read
    assert not kill_job(job, code="worker_lost", now=NOON)
    assert not DeadLetter.objects.exists()


def test_death_and_letter_are_one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_columns: Any) -> None:
        raise IntegrityError("no letter today")

    monkeypatch.setattr(DeadLetter.objects, "create", refuse)
    job = make_job(attempts=5)
    with pytest.raises(IntegrityError):
        kill_job(job, code="worker_lost", now=NOON)
    assert Job.objects.get().state == JobState.PENDING


@pytest.mark.parametrize(
    ("raised", "code"),
    [(MemoryError(), "out_of_memory"), (TimeoutError(), "timeouterror"), (RecursionError(), "recursionerror")],
)
def test_each_end_has_its_reason(raised: Exception, code: str) -> None:
    def end(_lease: Lease) -> None:
        raise raised

    assert die(end).reason_code == code


def test_arguments_that_cannot_be_read_are_tried_once_and_wait_for_a_person() -> None:
    def read(lease: Lease) -> None:
        jobs.argument_id(lease.arguments, "claim_id")

    def bury(arguments: Any, _code: str) -> None:
        jobs.argument_id(arguments, "claim_id")

    for broken in ({"claim_id": 7}, {"claim_id": "CLM-1"}, {}, ["claim_id"], None):
        with known_kind(read, bury):
            job = make_job(arguments=broken if broken is not None else {})
            with pytest.raises(jobs.UnreadableArguments):
                running.run_job(job.id)
            job.refresh_from_db()
            assert sweeping.bury_spent_jobs(now=job.next_publish_at) == [job.id]
        letter = DeadLetter.objects.get(job=job)
        assert (letter.reason_code, letter.attempts) == ("unreadable_arguments", 1)


def test_a_hanging_job_is_told_as_timed_out_and_not_as_a_lost_worker() -> None:
    job = make_job(attempts=4)
    lease = taken(job.id)
    jobs.note_timeout(lease=lease)  # as the heartbeat does before it lets the lease lapse
    sweeping.bury_spent_jobs(now=NOON + DAY)
    assert DeadLetter.objects.get().reason_code == "timed_out"


def test_a_retried_job_starts_anew_and_a_second_death_is_a_second_letter() -> None:
    first = make_letter()
    ended = retry_letter(letter_id=first.id, by="olga", now=NOON, note="disk was full")
    assert (ended.resolution, ended.resolved_by, ended.note) == ("RETRIED", "olga", "disk was full")
    job = Job.objects.get()
    assert (job.state, job.attempts, job.max_attempts, job.id) == (JobState.PENDING, 0, 5, first.job_id)
    Job.objects.update(attempts=5, error_code="valueerror")
    sweeping.bury_spent_jobs(now=NOON + DAY)
    assert list(DeadLetter.objects.order_by("last_failed_at").values_list("resolution", flat=True)) == ["RETRIED", ""]
    assert letter_named(first.job_id).resolution == "", "the job's id names the newest letter"
    assert letter_named(first.id).resolution == "RETRIED"


def test_an_ended_letter_is_not_ended_again() -> None:
    letter = make_letter()
    resolve_letter(letter_id=letter.id, by="olga", now=NOON, resolution=LetterResolution.DROPPED)
    for end in (retry_letter, resolve_letter):
        with pytest.raises(LetterEnded) as refusal:
            end(letter_id=letter.id, by="sven", now=NOON)
        assert refusal.value.extra == {"resolution": "DROPPED"}
    assert Job.objects.get().state == JobState.DEAD
    with pytest.raises(NotFound):
        retry_letter(letter_id=uuid4(), by="olga", now=NOON)
    with pytest.raises(InvalidInput):
        resolve_letter(letter_id=letter.id, by="olga", now=NOON, resolution=LetterResolution.RETRIED)


def test_a_letter_whose_job_runs_already_is_not_retried_and_stays_open() -> None:
    letter = make_letter()
    assert jobs.replay_job(job_id=letter.job_id, now=NOON)
    with pytest.raises(JobNotDead):
        retry_letter(letter_id=letter.id, by="olga", now=NOON)
    letter.refresh_from_db()
    assert letter.resolution == ""


def test_the_database_refuses_a_second_open_letter_and_an_end_without_a_time() -> None:
    letter = make_letter()
    with pytest.raises(IntegrityError), transaction.atomic():
        DeadLetter.objects.filter(id=letter.id).update(resolution="DROPPED")
    letter.id = uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        letter.save(force_insert=True)


def test_only_ended_letters_that_are_old_are_removed() -> None:
    old, fresh, waiting = make_letter(), make_letter(), make_letter()
    resolve_letter(letter_id=old.id, by="olga", now=NOON - 31 * DAY)
    resolve_letter(letter_id=fresh.id, by="olga", now=NOON - 29 * DAY)
    assert remove_ended_letters(older_than_days=30, now=NOON) == 1
    assert set(DeadLetter.objects.values_list("id", flat=True)) == {fresh.id, waiting.id}
    assert Job.objects.count() == 3, "jobs are the record of what was asked for and stay"
    assert open_letters_by_kind() == {"test.count": 1}


def test_jobs_that_were_dead_before_get_their_letters_by_the_migration() -> None:
    make_job(state=JobState.DEAD, attempts=5, error_code="timeout", error_detail="Timeout", finished_at=NOON)
    killed = make_job(state=JobState.DEAD, attempts=5)
    make_letter()
    make_job()
    migration: Any = import_module("observability.migrations.0009_letters_of_dead_jobs")
    for _ in range(2):  # safe to run twice
        migration.write_letters(apps, None)
    assert DeadLetter.objects.count() == 3
    assert DeadLetter.objects.get(job=killed).reason_code == "worker_lost"
    assert DeadLetter.objects.get(reason_code="timeout").last_failed_at == NOON


def test_erasing_takes_the_words_of_a_letter() -> None:
    letter = make_letter(tenant_ref="t", arguments={"claim_id": "c"})
    other = make_letter(tenant_ref="t", arguments={"claim_id": "d"})
    jobs.forget_details(tenant_ref="t", argument="claim_id", value="c")
    letter.refresh_from_db()
    other.refresh_from_db()
    assert (letter.traceback, other.traceback) == ("", "ValueError: no good")


def test_a_kind_has_its_own_retry_policy(settings: Any) -> None:
    settings.JOB_RETRIES = {"test.count": (2, 8.0, 10.0, 0.0)}
    job = make_job()
    assert job.max_attempts == 2
    jobs.put_back_job(lease=taken(job.id), code="timeout", detail="", now=NOON)
    job.refresh_from_db()
    assert job.run_after == NOON + timedelta(seconds=8), "no jitter: the whole pause"
    assert policy_for("other").attempts == 5


def test_pauses_grow_to_the_cap_and_jitter_only_shortens_them() -> None:
    plain = RetryPolicy(attempts=9, base_seconds=2.0, cap_seconds=60.0, jitter=0.0)
    assert [plain.pause_seconds(n) for n in range(1, 8)] == [2, 4, 8, 16, 32, 60, 60]
    half = RetryPolicy(attempts=9, base_seconds=2.0, cap_seconds=60.0, jitter=0.5)
    drawn = [half.pause_seconds(4) for _ in range(200)]
    assert 8 <= min(drawn) < 10 and 14 < max(drawn) <= 16


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("dead_letters", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_command_lists_retries_drops_and_clears_away() -> None:
    one, two = make_letter(), make_letter(kind="other.kind")
    listed = json.loads(command("list", "--json"))["letters"]
    assert {item["job_id"] for item in listed} == {str(one.job_id), str(two.job_id)}
    assert "1 dead letters" in command("list", "--kind", "other.kind")
    assert json.loads(command("retry", str(one.job_id), "--json")) == {"ended": 1, "chosen": 1}
    assert Job.objects.get(id=one.job_id).state == JobState.PENDING
    assert json.loads(command("drop", "--all", "--json")) == {"ended": 1, "chosen": 1}
    assert json.loads(command("cleanup", "--older-than-days", "0", "--json")) == {"deleted": 2}


@pytest.mark.parametrize(
    "order",
    [
        "retry {ids} --note again --json",
        "retry --note again {ids} --json",
        "--note again --json retry {ids}",
        "--json retry --note=again {ids}",
        "retry {one} --note again {two} --json",
    ],
)
def test_the_command_takes_options_and_ids_in_any_order(order: str) -> None:
    one, two = make_letter(), make_letter()
    words = order.format(one=one.id, two=two.id, ids=f"{one.id} {two.job_id}")
    assert json.loads(command(*words.split())) == {"ended": 2, "chosen": 2}
    assert set(DeadLetter.objects.values_list("resolution", "note")) == {("RETRIED", "again")}


@pytest.mark.parametrize("words", ["", "burn", "retry not-an-id", "list --colour red", "cleanup --older-than-days x"])
def test_the_command_refuses_what_it_cannot_read(words: str) -> None:
    with pytest.raises(CommandError, match="Error: "):
        command(*words.split())


@pytest.mark.parametrize(
    ("arguments", "code"), [(["retry"], 2), (["retry", str(uuid4())], 3), (["resolve", str(uuid4()), "--all"], 2)]
)
def test_the_command_refuses(arguments: list[str], code: int) -> None:
    with pytest.raises(CommandError) as refusal:
        command(*arguments)
    assert refusal.value.returncode == code


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_retry_at_once_one_does() -> None:
    letter = make_letter()

    def retry(number: int) -> bool:
        try:
            retry_letter(letter_id=letter.id, by=str(number), now=NOON)
        except LetterEnded:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as people:
        won = list(people.map(retry, range(8)))
    assert won.count(True) == 1
    letter.refresh_from_db()
    assert letter.resolved_by == str(won.index(True))
