"""The queue page: what it shows, to whom, under which filters, and how it refreshes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from claims.choices import ReviewPriority
from claims.models import Claim
from reviews.leases import take_lease
from tenancy.models import Tenant
from tenancy.scope import tenant_scope
from tests.files import make_assessed_claim
from tests.people import Person

QUEUE = "/desk/"


def test_queue_shows_why_a_claim_waits_and_who_holds_it(ada: Person, sam: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo, "CLM-77", priority=ReviewPriority.URGENT)
    with tenant_scope(ada.tenant.id):
        take_lease(claim_id=claim.id, actor=sam.principal, now=timezone.now())
    page = ada.browser().get(QUEUE)
    text = page.content.decode()
    assert page.status_code == 200
    assert "CLM-77" in text
    assert "Two severities are possible." in text and "+20" in text
    assert "Possible severities: low or medium" in text
    assert "between 50 and 90 percent" in text
    assert "Due in 23 h" in text
    assert "</svg>Sam</span>" in text


def test_queue_sends_a_stranger_to_the_door(client: Client, acme: Tenant) -> None:
    page = client.get(QUEUE)
    assert page.status_code == 302
    assert page.headers["Location"] == "/sign-in/?next=/desk/"


def test_queue_refuses_a_client_and_an_auditor(cleo: Person, audrey: Person) -> None:
    assert cleo.browser().get(QUEUE).status_code == 403
    assert audrey.browser().get(QUEUE).status_code == 403


def test_queue_shows_zoe_nothing_of_acme(zoe: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "CLM-77")
    text = zoe.browser().get(QUEUE).content.decode()
    assert "CLM-77" not in text
    assert "Nothing waits for a review" in text


def test_queue_filters_stand_in_the_address(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "CLM-URGENT", priority=ReviewPriority.URGENT)
    make_assessed_claim(cleo, "CLM-LOW", priority=ReviewPriority.LOW_PRIORITY)
    text = ada.browser().get(QUEUE, {"priority": "URGENT"}).content.decode()
    assert "CLM-URGENT" in text and "CLM-LOW" not in text
    assert 'href="/desk/?priority=URGENT&amp;overdue=true"' in text
    text = ada.browser().get(QUEUE, {"overdue": "true"}).content.decode()
    assert "No claim matches these filters" in text


def test_queue_counts_what_the_viewer_holds(ada: Person, sam: Person, cleo: Person) -> None:
    for number in ("CLM-1", "CLM-2", "CLM-3"):
        claim = make_assessed_claim(cleo, number)
        holder = sam if number == "CLM-3" else ada
        with tenant_scope(holder.tenant.id):
            take_lease(claim_id=claim.id, actor=holder.principal, now=timezone.now())
    assert 'Held by me <span class="count">2</span>' in ada.browser().get(QUEUE).content.decode()
    assert 'Held by me <span class="count">1</span>' in sam.browser().get(QUEUE).content.decode()


def test_queue_marks_what_is_overdue(ada: Person, cleo: Person) -> None:
    claim = make_assessed_claim(cleo, "CLM-LATE")
    with tenant_scope(ada.tenant.id):
        Claim.objects.filter(id=claim.id).update(review_due_at=timezone.now() - timedelta(minutes=25, seconds=5))
    assert "Overdue by 25 min" in ada.browser().get(QUEUE, {"overdue": "true"}).content.decode()


def test_queue_walks_pages_without_losing_or_repeating_a_claim(ada: Person, cleo: Person) -> None:
    for number in range(30):
        make_assessed_claim(cleo, f"CLM-{number:03d}")
    browser = ada.browser()
    first = browser.get(QUEUE).content.decode()
    onward = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = browser.get(onward).content.decode()
    shown = [[f"CLM-{n:03d}" for n in range(30) if f">CLM-{n:03d}<" in text] for text in (first, second)]
    assert [len(numbers) for numbers in shown] == [25, 5]
    assert not set(shown[0]) & set(shown[1])
    assert "Back to the start" in second


def test_queue_refuses_a_cursor_of_another_list(ada: Person) -> None:
    assert ada.browser().get(QUEUE, {"cursor": "bm9uc2Vuc2U"}).status_code == 400


def test_an_unchanged_queue_is_not_drawn_again(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "CLM-1", now=timezone.now() - timedelta(minutes=10, seconds=20))
    browser = ada.browser()
    asks = {"HX-Request": "true", "HX-Target": "queue"}
    drawn = browser.get(QUEUE, headers=asks)
    assert drawn.status_code == 200 and b"<html" not in drawn.content
    again = browser.get(QUEUE, headers={**asks, "If-None-Match": drawn.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    make_assessed_claim(cleo, "CLM-2")
    changed = browser.get(QUEUE, headers={**asks, "If-None-Match": drawn.headers["ETag"]})
    assert changed.status_code == 200 and b"CLM-2" in changed.content


def test_take_next_opens_the_first_claim_and_holds_it(ada: Person, cleo: Person) -> None:
    make_assessed_claim(cleo, "CLM-LOW", priority=ReviewPriority.LOW_PRIORITY)
    urgent = make_assessed_claim(cleo, "CLM-URGENT", priority=ReviewPriority.URGENT)
    answer = ada.browser().post("/desk/next/")
    assert answer.headers["Location"] == f"/desk/claims/{urgent.id}/review/"
    with tenant_scope(ada.tenant.id):
        assert Claim.objects.get(id=urgent.id).lease.holder_id == ada.user.id


def test_take_next_says_when_nothing_is_left(ada: Person) -> None:
    answer = ada.browser().post("/desk/next/", follow=True)
    assert "Nothing is waiting that you could take." in answer.content.decode()


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("claims", [3, 20])
def test_queue_costs_the_same_for_few_and_many(
    ada: Person, cleo: Person, claims: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(claims):
        make_assessed_claim(cleo, f"CLM-{number}")
    browser = ada.browser()
    # session, person, memberships (twice: who acts, and the menu), tenant's policy, page, counts
    with django_assert_max_num_queries(8):
        assert browser.get(QUEUE).status_code == 200
