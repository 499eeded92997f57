"""Every page in light and dark: no accessibility finding, no sideways scrolling on a phone, colours to choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from aiassist.types import Outcome, Severity
from claims.choices import ClaimStatus
from claims.models import Claim
from claims.services import erase_claim, set_legal_hold
from reviews.choices import DecisionKind
from reviews.services import DecisionDraft, decide_claim
from tenancy.models import Tenant
from tenancy.scope import tenant_scope
from tests.aiassist.monitoring.cases import label_cases
from tests.aiassist.monitoring.claims_seen import drifting
from tests.browser.conftest import OpenWindow
from tests.browser.rows import reviewable_claim, webhook_with_a_log
from tests.files import make_assessment, make_claim
from tests.observability.incidents.troubles import busy_incident, finished_incident
from tests.people import Operator, Person, make_key, make_operator
from tests.tenancy.costs.month import spend_a_month

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
# Tables that say what to think of a figure in their last column: nobody has to push them aside to see it.
CUT_OFF = """[...document.querySelectorAll('.table-wrap')]
  .filter((wrap) => wrap.querySelector('.answers, .folds') && wrap.scrollWidth > wrap.clientWidth)
  .map((wrap) => wrap.getAttribute('aria-label'))"""


@pytest.fixture
def pages(ada: Person, sam: Person, adam: Person, cleo: Person) -> list[tuple[Person | Operator | None, str]]:
    """Every page in each of its states, and who looks at it."""
    waiting = reviewable_claim(cleo, "CLM-WAITING", priority="URGENT")
    decided = reviewable_claim(cleo, "CLM-DECIDED")
    black = reviewable_claim(
        cleo,
        "CLM-BLACK",
        outcome=Outcome.NOT_ASSESSABLE,
        reason_code="static_black",
        severity="",
        prediction_set=["NONE", "LOW", "MEDIUM", "HIGH"],
        fraud_risk_score=0.7,
        fraud_indicators=[{"code": "static_black", "weight": 0.2, "detail": "The picture stays black."}],
    )
    renewed = _renewed(reviewable_claim(cleo, "CLM-RENEWED"), cleo)
    running = make_claim(cleo, "CLM-RUNNING", status=ClaimStatus.PROCESSING, stage="MINING", progress_percent=38)
    _decide(
        decided,
        sam,
        decision=DecisionKind.REJECT,
        reasoning="Not this journey.",
        fraud_override=True,
        override_reason="The plate is another.",
    )
    Tenant.objects.filter(id=cleo.tenant.id).update(settings={"blind_label_share": 1.0})
    _decide(reviewable_claim(cleo, "CLM-DRAWN"), ada, decision=DecisionKind.APPROVE, reasoning="Clear.")
    held, erased = reviewable_claim(cleo, "CLM-HELD"), reviewable_claim(cleo, "CLM-ERASED")
    for claim in (held, erased):
        _decide(claim, sam, decision=DecisionKind.APPROVE, reasoning="Clear.")
    with tenant_scope(cleo.tenant.id):
        set_legal_hold(actor=sam.principal, claim_id=held.id, held=True, reason="Court file 7.", now=timezone.now())
        erase_claim(actor=adam.principal, claim_id=erased.id, reason="Asked by letter.", now=timezone.now())
    spend_a_month(adam)
    label_cases(cleo.tenant, per_class={Severity.LOW: 60, Severity.MEDIUM: 40, Severity.HIGH: 5}, covered=0.8)
    hook = webhook_with_a_log(adam)
    make_key(adam)
    olga = make_operator()
    trouble, over = busy_incident(), finished_incident()
    report_id = drifting(cleo.tenant)
    return [
        (olga, "/operations/incidents/"),
        (olga, f"/operations/incidents/{trouble.number}/"),
        (olga, f"/operations/incidents/{trouble.number}/report/"),
        (olga, f"/operations/incidents/{over.number}/"),
        (olga, f"/operations/incidents/{over.number}/report/"),
        (olga, "/admin/"),
        (olga, "/account/"),
        (None, "/sign-in/"),
        (ada, "/desk/"),
        (sam, f"/desk/claims/{waiting.id}/access/"),
        (ada, "/desk/?mine=true"),
        (ada, f"/desk/claims/{waiting.id}/review/"),
        (ada, f"/desk/claims/{decided.id}/review/"),
        (ada, f"/desk/claims/{black.id}/review/"),
        (ada, f"/desk/claims/{renewed.id}/review/"),
        (ada, f"/desk/claims/{renewed.id}/versions/1/"),
        (ada, "/desk/claims/"),
        (ada, "/desk/labels/"),
        (sam, "/desk/labels/"),
        (adam, "/desk/monitoring/calibration/"),
        (adam, "/desk/monitoring/fraud-model/"),
        (adam, "/desk/monitoring/drift/"),
        (adam, "/desk/monitoring/bias/"),
        (adam, "/desk/monitoring/reports/"),
        (adam, f"/desk/monitoring/reports/{report_id}/"),
        (adam, "/desk/usage/"),
        (adam, "/desk/costs/"),
        (adam, f"/desk/costs/statement/{timezone.now():%Y-%m}"),
        (adam, "/desk/webhooks/"),
        (adam, f"/desk/webhooks/{hook.id}/"),
        (adam, "/keys/"),
        (adam, "/account/"),
        (adam, "/account/password/"),
        (adam, "/account/second-factor/"),
        (sam, f"/desk/claims/{held.id}/review/"),
        (adam, f"/desk/claims/{held.id}/privacy/"),
        (adam, f"/desk/claims/{decided.id}/privacy/"),
        (adam, f"/desk/claims/{erased.id}/privacy/"),
        (adam, f"/desk/claims/{erased.id}/review/"),
        (cleo, "/desk/claims/new/"),
        (cleo, f"/desk/claims/{running.id}/"),
        (cleo, f"/desk/claims/{waiting.id}/"),
        (ada, "/desk/claims/00000000-0000-7000-8000-000000000000/review/"),
    ]


def _renewed(claim: Claim, owner: Person) -> Claim:
    """Give the claim a second version that says something else."""
    changes = [
        {"field": "severity", "before": "MEDIUM", "after": "HIGH"},
        {"field": "hazards", "before": [], "after": [{"kind": "IMPACT", "start_seconds": 4.4}]},
    ]
    with tenant_scope(owner.tenant.id):
        newer = make_assessment(claim, version=2, severity="HIGH", prediction_set=["HIGH"], changes=changes)
        Claim.objects.filter(id=claim.id).update(assessment=newer)
    return claim


def _decide(claim: Claim, person: Person, **draft: Any) -> None:
    assert claim.assessment_id is not None
    with tenant_scope(person.tenant.id):
        draft_of = DecisionDraft(assessment_id=claim.assessment_id, **draft)
        decide_claim(claim_id=claim.id, actor=person.principal, draft=draft_of, now=timezone.now())


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(
    open_window: OpenWindow,
    axe: Callable[[Page], list[str]],
    pages: list[tuple[Person | Operator | None, str]],
    colours: str,
) -> None:
    found = {}
    for person, path in pages:
        page = open_window(person, color_scheme=colours)
        page.goto(path)
        page.wait_for_load_state("networkidle")
        found[path] = axe(page) + page.evaluate(CUT_OFF)
        page.close()
    assert {path: words for path, words in found.items() if words} == {}


def test_axe_finds_nothing_on_a_conflict_and_in_the_list_of_keys(
    open_window: OpenWindow, axe: Callable[[Page], list[str]], ada: Person, sam: Person, cleo: Person
) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    page = open_window(ada)
    page.goto(f"/desk/claims/{claim.id}/review/")
    page.keyboard.press("?")
    assert axe(page) == []
    page.keyboard.press("Escape")
    _decide(claim, sam, decision=DecisionKind.APPROVE, reasoning="Clear.")
    page.keyboard.press("r")
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("Someone else decided")
    assert axe(page) == []


def test_no_page_scrolls_sideways_on_a_phone(
    open_window: OpenWindow, axe: Callable[[Page], list[str]], pages: list[tuple[Person | Operator | None, str]]
) -> None:
    wide, found = {}, {}
    for person, path in pages:
        page = open_window(person, viewport=PHONE)
        page.goto(path)
        wide[path] = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found[path] = axe(page) + page.evaluate(CUT_OFF)
        page.close()
    assert {path: pixels for path, pixels in wide.items() if pixels > 0} == {}
    assert {path: words for path, words in found.items() if words} == {}


def test_on_a_phone_the_decision_comes_before_the_history(open_window: OpenWindow, ada: Person, cleo: Person) -> None:
    claim = reviewable_claim(cleo, "CLM-1")
    page = open_window(ada, viewport=PHONE)
    page.goto(f"/desk/claims/{claim.id}/review/")
    form, history = page.locator("#decision-form").bounding_box(), page.locator(".history").bounding_box()
    assert form is not None and history is not None and form["y"] < history["y"]


def test_colours_are_chosen_once_and_kept(open_window: OpenWindow, ada: Person) -> None:
    page = open_window(ada, color_scheme="light")
    page.goto("/desk/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Change colours").click()
    dark = page.evaluate(ground)
    assert light != dark
    page.goto("/desk/claims/")
    assert page.evaluate(ground) == dark
