"""A budget that is used up degrades the assessment, says so, and fails no claim."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import Settings

from aiassist.video.decoding import probe_video
from aiassist.video.limits import DecodeLimits
from tenancy.choices import BudgetPolicy, CostCategory
from tenancy.models import CostRecord, UsageMeter
from tenancy.scope import tenant_scope
from tests.aiassist.gateway.loopback import loopback
from tests.aiassist.gateway.requests import GOOD_ANSWER
from tests.aiassist.gateway.wires import OPENAI
from tests.claims.test_misbehaving_providers import assessment_of
from tests.people import Person
from tests.tenancy.costs.money import make_budget

UNSURE = GOOD_ANSWER | {"statements": [], "severity": "UNSURE", "scenario": "UNKNOWN"}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a busy machine opens a clip within twenty seconds is not looked at here."""
    assert probe_video.__kwdefaults__ is not None
    monkeypatch.setitem(probe_video.__kwdefaults__, "limits", DecodeLimits())


@pytest.mark.parametrize(("policy", "served_by"), [(BudgetPolicy.LOCAL, "local"), (BudgetPolicy.RULES, "rules")])
def test_a_claim_beyond_the_budget_is_assessed_without_the_paid_model(
    cleo: Person, adam: Person, settings: Settings, policy: BudgetPolicy, served_by: str
) -> None:
    settings.OPENAI_API_KEY = "sk-test-0123456789abcdef"
    settings.OPENAI_MODEL = settings.LOCAL_LLM_MODEL = "asked-model"
    make_budget(adam, "0.00", policy=policy, now=timezone.now())
    with loopback(OPENAI.answers_json(UNSURE)) as paid, loopback(OPENAI.answers_json(UNSURE)) as own:
        settings.OPENAI_BASE_URL, settings.LOCAL_LLM_BASE_URL = paid.url, own.url
        assessment = assessment_of(cleo)
    assert (assessment.provider_name, len(paid.requests)) == (served_by, 0)
    assert (assessment.outcome, assessment.degraded, assessment.service_level) == ("ASSESSED", True, "DEGRADED")
    assert "budget" in assessment.degraded_reasons
    with tenant_scope(cleo.tenant.id):
        categories = list(CostRecord.objects.values_list("category", flat=True))
        assert categories == (["INFERENCE"] if policy == BudgetPolicy.LOCAL else [])
        assert UsageMeter.objects.get(category=CostCategory.INFERENCE).count == 1
