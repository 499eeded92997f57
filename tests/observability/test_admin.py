from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.http import HttpRequest
from django.test import RequestFactory

from observability.admin import DeadLetterAdmin, JobAdmin, WorkerHeartbeatAdmin
from observability.dead_letters import resolve_letter
from observability.models import DeadLetter, Job, WorkerHeartbeat
from tenancy.models import User
from tests.observability.work import NOON, make_letter

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


def test_retry_runs_the_jobs_of_the_chosen_letters_again_and_no_others(request_of_olga: HttpRequest) -> None:
    chosen, other = make_letter(), make_letter()
    ended = make_letter()
    resolve_letter(letter_id=ended.id, by="sven", now=NOON)
    page = DeadLetterAdmin(DeadLetter, admin.site)
    page.retry(request_of_olga, DeadLetter.objects.filter(id__in=[chosen.id, ended.id]))
    states = dict(Job.objects.values_list("id", "state"))
    assert states == {chosen.job_id: "PENDING", other.job_id: "DEAD", ended.job_id: "DEAD"}
    chosen.refresh_from_db()
    assert (chosen.resolution, chosen.resolved_by) == ("RETRIED", str(request_of_olga.user.pk))
    (message,) = request_of_olga._messages  # type: ignore[attr-defined]
    assert str(message) == "1 of 2 will run again."


def test_letters_are_resolved_and_dropped_in_the_admin(request_of_olga: HttpRequest) -> None:
    mended, useless = make_letter(), make_letter()
    page = DeadLetterAdmin(DeadLetter, admin.site)
    page.resolve(request_of_olga, DeadLetter.objects.filter(id=mended.id))
    page.drop(request_of_olga, DeadLetter.objects.filter(id=useless.id))
    resolutions = dict(DeadLetter.objects.values_list("id", "resolution"))
    assert resolutions == {mended.id: "RESOLVED", useless.id: "DROPPED"}
    assert not page.has_add_permission(request_of_olga)
    assert not page.has_delete_permission(request_of_olga)


def test_heartbeats_can_only_be_looked_at(request_of_olga: HttpRequest) -> None:
    page = WorkerHeartbeatAdmin(WorkerHeartbeat, admin.site)
    assert not page.has_add_permission(request_of_olga)
    assert not page.has_change_permission(request_of_olga)
    assert not page.has_delete_permission(request_of_olga)
