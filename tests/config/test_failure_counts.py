"""Failed requests are counted by code; refused credentials and refused permissions once more by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from tests.people import Person

pytestmark = pytest.mark.django_db


@contextmanager
def counts(name: str, **labels: str) -> Iterator[list[float]]:
    """Give a list that holds by how much the figure rose, once the block has ended."""
    rose: list[float] = []
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    yield rose
    rose.append((REGISTRY.get_sample_value(name, labels) or 0.0) - before)


def test_a_wrong_key_is_a_failed_authentication_and_none_at_all_is_not(client: Client, ada: Person) -> None:
    with (
        counts("claimwright_authentication_failures_total", code="invalid_credential") as wrong,
        counts("claimwright_authentication_failures_total", code="not_authenticated") as missing,
        counts("claimwright_errors_total", place="web", code="not_authenticated") as errors,
    ):
        assert client.get("/api/v1/claims", headers={"X-API-Key": "clm_live_" + "A" * 43}).status_code == 401
        assert client.get("/api/v1/claims").status_code == 401
    assert (wrong, missing, errors) == ([1], [0], [1])


def test_what_a_role_does_not_allow_is_a_refused_access(ada: Person) -> None:
    with counts("claimwright_refused_access_total", code="permission_denied") as refused:
        assert ada.browser().get("/desk/webhooks/").status_code == 403
    assert refused == [1]


def test_the_address_of_the_metrics_counts_who_is_turned_away(client: Client) -> None:
    with counts("claimwright_refused_access_total", code="metrics_restricted") as refused:
        assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert refused == [1]
