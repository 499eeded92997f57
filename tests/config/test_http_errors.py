"""Every failure becomes one answer: a problem document for programs, a page for people, and never a stack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404
from django.http.request import UnreadablePostError
from django.test import Client
from rest_framework import exceptions as drf

from config.http_errors import as_platform_error, problem_answer, problem_response_for, status_of
from observability import errors
from observability.errors import FieldProblem, PlatformError
from tests.people import Person

EXPECTED: list[tuple[Exception, int, str]] = [
    (errors.InvalidInput(), 400, "invalid_input"),
    (errors.NotAuthenticated(), 401, "not_authenticated"),
    (errors.PermissionRefused(), 403, "permission_denied"),
    (errors.NotFound(), 404, "not_found"),
    (errors.Conflict(), 409, "conflict"),
    (errors.PreconditionFailed(), 412, "stale"),
    (errors.TooLarge(), 413, "too_large"),
    (errors.UnsupportedContentType(), 415, "unsupported_media_type"),
    (errors.UnusableContent(), 422, "unusable_content"),
    (errors.LimitReached(retry_after_seconds=7), 429, "rate_limited"),
    (errors.Unavailable(), 503, "unavailable"),
    (PlatformError(), 500, "platform_error"),
    (Http404(), 404, "not_found"),
    (PermissionDenied(), 403, "permission_denied"),
    (SuspiciousOperation(), 400, "bad_request"),
    (ValidationError("x"), 400, "invalid_input"),
    (UnreadablePostError(), 400, "malformed_body"),
    (DataError(), 400, "out_of_range"),
    (OperationalError(), 503, "unavailable"),
    (InterfaceError(), 503, "unavailable"),
    (drf.NotFound(), 404, "not_found"),
    (drf.ParseError(), 400, "malformed_body"),
    (drf.MethodNotAllowed("GET"), 405, "method_not_allowed"),
    (drf.NotAcceptable(), 406, "not_acceptable"),
    (drf.UnsupportedMediaType("x"), 415, "unsupported_media_type"),
    (drf.Throttled(wait=1.2), 429, "rate_limited"),
    (drf.AuthenticationFailed(), 401, "not_authenticated"),
]


@pytest.mark.parametrize(("error", "status", "code"), EXPECTED)
def test_problem_response_for_knows_each_expected_failure(error: Exception, status: int, code: str) -> None:
    response = problem_response_for(error, {})
    assert response is not None
    assert (response.status_code, response.data["status"], response.data["code"]) == (status, status, code)
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("error", [ValueError("secret"), IntegrityError("secret"), KeyError("secret")])
def test_problem_response_for_lets_the_unexpected_travel_on(error: Exception) -> None:
    assert problem_response_for(error, {}) is None


def test_a_limit_says_when_to_come_back() -> None:
    for error, seconds in (
        (errors.LimitReached(retry_after_seconds=7), "7"),
        (drf.Throttled(wait=1.2), "2"),
        (errors.Unavailable(), "5"),
    ):
        response = problem_response_for(error, {})
        assert response is not None and response.headers["Retry-After"] == seconds


def test_nested_field_problems_get_pointers() -> None:
    detail: Any = {
        "name": ["Too short."],
        "claimant": {"email": ["No address."], "non_field_errors": ["Odd."]},
        "scopes": [{}, {"0": ["Unknown."]}],
        "a/b~c": ["Odd name."],
    }
    known = as_platform_error(drf.ValidationError(detail))
    assert known is not None
    pointers = [problem.pointer for problem in known.problems]
    assert pointers == ["/name", "/claimant/email", "/claimant", "/scopes/1/0", "/a~1b~0c"]


def test_a_forms_problems_get_pointers() -> None:
    known = as_platform_error(ValidationError({"slug": [ValidationError("Taken.", code="unique")]}))
    assert known is not None
    assert known.problems == (FieldProblem("/slug", "unique", "Taken."),)


def test_extra_members_never_hide_the_problems_own() -> None:
    error = errors.Conflict(extra={"decision_id": "7", "status": "APPROVED", "code": "x"})
    body = json.loads(problem_answer(error).content)
    assert (body["decision_id"], body["status"], body["code"]) == ("7", 409, "conflict")
    assert status_of(error) == 409


def away(*_args: object, **_kwargs: object) -> None:
    raise OperationalError("server closed the connection: host=db.internal user=claims")


@pytest.mark.parametrize("path", ["/api/v1/tenant", "/desk/"])
def test_a_database_that_is_away_is_503_everywhere(ada: Person, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    clients: list[Any] = [ada.browser(), *([ada.api()] if path.startswith("/api/") else [])]
    with monkeypatch.context() as broken:
        broken.setattr(BaseDatabaseWrapper, "cursor", away)
        answers = [client.get(path) for client in clients]
    for answer in answers:
        assert answer.status_code == 503
        assert b"db.internal" not in answer.content
        if path.startswith("/api/"):
            assert answer.json()["code"] == "unavailable" and answer.headers["Retry-After"] == "5"


def test_a_page_that_is_not_there_is_a_page(client: Client, db: None) -> None:
    answer = client.get("/nowhere", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert answer.headers["X-Request-ID"] in answer.content.decode()


def test_a_program_gets_a_problem_document_outside_the_api_too(client: Client, db: None) -> None:
    answer = client.get("/nowhere", headers={"Accept": "application/json"})
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a b", "[::1"])
def test_an_unknown_host_is_refused(client: Client, db: None, host: str) -> None:
    answer = client.get("/api/v1/tenant", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert b"evil" not in answer.content


def test_a_form_from_elsewhere_is_refused_with_a_page(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "x"}, headers={"Accept": "text/html"})
    assert answer.status_code == 403 and b"csrf_failed" in answer.content
