from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpRequest
from django.test import RequestFactory

from observability.admin import JobAdmin, WorkerHeartbeatAdmin
from observability.choices import JobState
from observability.models import Job, WorkerHeartbeat
from tenancy.models import User
from tests.observability.work import make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of_olga() -> HttpRequest:
    """Olga operates the platform."""
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_user(username="olga", is_staff=True, is_superuser=True)
    request.session = {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    return request


@pytest.fixture
def jobs_page() -> JobAdmin:
    return JobAdmin(Job, admin.site)


def test_jobs_can_be_looked_at_and_not_written(jobs_page: JobAdmin, request_of_olga: HttpRequest) -> None:
    assert not jobs_page.has_add_permission(request_of_olga)
    assert not jobs_page.has_delete_permission(request_of_olga)
    assert set(jobs_page.get_readonly_fields(request_of_olga)) == {field.name for field in Job._meta.fields}


def test_jobs_show_neither_their_arguments_nor_their_result_in_the_list(jobs_page: JobAdmin) -> None:
    assert {"arguments", "result", "error_detail"} & set(jobs_page.list_display) == set()


def test_replay_gives_dead_letters_fresh_attempts_and_nothing_else(
    jobs_page: JobAdmin, request_of_olga: HttpRequest
) -> None:
    dead = make_job(state=JobState.DEAD, attempts=5)
    done = make_job(state=JobState.SUCCEEDED)
    jobs_page.replay(request_of_olga, Job.objects.all())
    dead.refresh_from_db()
    done.refresh_from_db()
    assert (dead.state, dead.attempts, done.state) == (JobState.PENDING, 0, JobState.SUCCEEDED)
    (message,) = request_of_olga._messages  # type: ignore[attr-defined]
    assert str(message) == "1 dead letters will run again."


def test_heartbeats_can_only_be_looked_at(request_of_olga: HttpRequest) -> None:
    page = WorkerHeartbeatAdmin(WorkerHeartbeat, admin.site)
    assert not page.has_add_permission(request_of_olga)
    assert not page.has_change_permission(request_of_olga)
    assert not page.has_delete_permission(request_of_olga)
