"""The bar above every page: which of its links is marked."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver

from config import chrome
from tests.people import Person, make_operator

pytestmark = pytest.mark.django_db


def marked(page: str) -> list[tuple[str, str]]:
    """Return the marked links of the bar: their words, and how they are marked."""
    found = re.findall(r'<a href="[^"]*" aria-current="(\w+)"><svg.*?</svg>([^<]+)</a>', page)
    return [(words, how) for how, words in found if how in ("page", "true")]


@pytest.mark.parametrize(
    ("address", "mark"),
    [
        ("/desk/monitoring/drift/", ("Model health", "page")),
        ("/desk/monitoring/bias/", ("Model health", "true")),
        ("/desk/monitoring/reports/", ("Model health", "true")),
        ("/desk/monitoring/fraud-model/", ("Calibration", "true")),
        ("/desk/costs/statement/2026-11", ("Costs", "true")),
    ],
)
def test_a_page_behind_a_link_marks_it(adam: Person, address: str, mark: tuple[str, str]) -> None:
    assert marked(adam.browser().get(address).content.decode()) == [mark]


def test_an_operator_sees_where_incidents_are() -> None:
    assert marked(make_operator().browser().get("/operations/incidents/").content.decode()) == [("Incidents", "page")]


def test_a_page_that_no_link_leads_to_marks_none(adam: Person) -> None:
    assert marked(adam.browser().get("/keys/").content.decode()) == []


def test_what_stands_behind_a_link_exists() -> None:
    known = {
        f"{space}:{name}"
        for space, (_, resolver) in get_resolver().namespace_dict.items()
        for name in resolver.reverse_dict
        if isinstance(name, str)
    }
    links = {name for _, _, name, _ in (*chrome._DESK_LINKS, *chrome._OPERATOR_LINKS)}
    assert set(chrome._BEHIND) <= known and set(chrome._BEHIND.values()) <= links
