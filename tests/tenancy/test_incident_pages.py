"""Pages of incidents: an operator follows a runbook without a script running in the browser."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone

from observability.incidents.choices import IncidentKind
from observability.incidents.models import Incident
from observability.incidents.services import resolve_incident
from tests.observability.incidents.troubles import OLGA, an_incident
from tests.people import Person, make_operator

pytestmark = pytest.mark.django_db
LIST = "/operations/incidents/"


@pytest.fixture
def olga() -> Client:
    return make_operator().browser()


def page(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_tells_what_is_open_and_who_takes_care(olga: Client) -> None:
    assert "None is open" in page(olga, LIST)
    incident = an_incident(now=timezone.now())
    words = page(olga, LIST)
    assert f"{incident}</span> It fails" in words and "nobody has answered yet" in words
    olga.post(f"{LIST}{incident.number}/", {"action": "acknowledge"})
    assert "olga takes care" in page(olga, LIST)


def test_an_operator_opens_one_by_hand(olga: Client) -> None:
    given = {"kind": "SERVICE_DOWN", "subject": "workers", "title": "No claim is assessed", "severity": ""}
    answer = olga.post(LIST, given)
    incident = Incident.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{incident.number}/")
    assert "There is one about the same already." in olga.post(LIST, given, follow=True).content.decode()
    wrong = olga.post(LIST, {**given, "subject": ""})
    assert wrong.status_code == 400 and "Say what it is about" in wrong.content.decode()


def test_the_checklist_is_followed_to_its_end(olga: Client) -> None:
    incident = an_incident(now=timezone.now())
    address = f"{LIST}{incident.number}/"
    assert "5 of 5 to do" in page(olga, address)
    ran = olga.post(f"{address}steps/1/")
    assert ran["Location"] == f"{address}#step-1"
    olga.post(f"{address}steps/3/", {"note": "the quota"})
    olga.post(f"{address}steps/2/", {"do": "SKIP", "note": "its breaker is open"})
    words = page(olga, address)
    assert "<strong>Step 1 done</strong>" in words
    assert "2 of 5 to do" in words and "openai: closed" in words and "its breaker is open" in words
    again = olga.post(f"{address}steps/1/", follow=True).content.decode()
    assert "This step is done, skipped, or somebody runs it now." in again
    failed = olga.post(f"{address}steps/5/", follow=True).content.decode()
    assert "nobody has called it since the reset" in failed


def test_a_step_without_what_it_asks_for_is_refused_in_words(olga: Client) -> None:
    incident = an_incident(IncidentKind.SECURITY_BREACH, subject="sign-in", now=timezone.now())
    address = f"{LIST}{incident.number}/"
    assert "Username of the account" in page(olga, address)
    answer = olga.post(f"{address}steps/2/", {"target": " "}, follow=True)
    assert "Name the username to act on." in answer.content.decode()


def test_from_taken_on_to_closed(olga: Client) -> None:
    incident = an_incident(now=timezone.now())
    address = f"{LIST}{incident.number}/"
    for action in ("acknowledge", "mitigate", "resolve"):
        assert olga.post(address, {"action": action}).status_code == 302
    assert "is closed when its report says" in olga.post(address, {"action": "close"}, follow=True).content.decode()
    assert olga.post(f"{address}report/", {"cause": " "}).status_code == 400
    olga.post(f"{address}report/", {"cause": "The quota.\nNobody saw it.", "follow_ups": "Watch it."})
    assert "The quota." in page(olga, f"{address}report/")
    olga.post(address, {"action": "close"})
    assert Incident.objects.get().status == "CLOSED"
    assert "<textarea" not in page(olga, f"{address}report/")
    assert olga.post(address, {"action": "sing"}).status_code == 400


def test_the_report_is_taken_away_as_a_file(olga: Client) -> None:
    incident = resolve_incident(number=an_incident(text="a | b <script>").number, actor=OLGA, now=timezone.now())
    answer = olga.get(f"{LIST}{incident.number}/report.md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{incident}.md"'
    text = answer.content.decode()
    assert text.startswith(f"# {incident}: It fails\n") and "a \\| b &lt;script>" in text


def test_the_timeline_refreshes_itself_only_when_something_happened(olga: Client) -> None:
    incident = an_incident(now=timezone.now())
    address = f"{LIST}{incident.number}/timeline/"
    first = olga.get(address)
    assert olga.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    olga.post(f"{LIST}{incident.number}/", {"action": "acknowledge"})
    second = olga.get(address, headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 200 and re.search(r"<strong>Acknowledged", second.content.decode())


def test_the_operators_pages_lead_there_and_members_are_refused(olga: Client, adam: Person, client: Client) -> None:
    assert f'href="{LIST}"' in page(olga, "/admin/")
    assert adam.browser().get(LIST).status_code == 403
    assert client.get(LIST)["Location"].startswith("/sign-in/")
    assert f'href="{LIST}"' not in page(adam.browser(), "/desk/")


@pytest.mark.parametrize("address", ["9999/", "9999/report/", "9999/report.md", "9999/timeline/"])
def test_a_page_of_nothing_is_not_found(olga: Client, address: str) -> None:
    assert olga.get(f"{LIST}{address}").status_code == 404
