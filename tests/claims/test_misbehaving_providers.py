"""Whatever the providers do, the claim reaches a person: the real pipeline against servers that misbehave."""

from __future__ import annotations

from contextlib import ExitStack

import anthropic  # noqa: F401  # seconds of importing on a busy machine, which a short deadline must not pay
import openai  # noqa: F401
import pytest
from django.utils import timezone
from pytest_django import Settings

from claims import tasks
from claims.models import Assessment, Claim
from claims.services import assessing
from observability.jobs import release_job, take_job
from observability.models import Job
from tenancy.models import CostRecord
from tenancy.scope import tenant_scope
from tests.aiassist.gateway.loopback import hangs, loopback, nobody_listens
from tests.aiassist.gateway.requests import GOOD_ANSWER
from tests.aiassist.gateway.test_misbehaviour import CASES
from tests.aiassist.gateway.wires import ANTHROPIC, OPENAI, Wire
from tests.claims.handing_in import hand_in
from tests.claims.test_real_pipeline import work
from tests.people import Person

LINKS: tuple[tuple[str, Wire], ...] = (("OPENAI", OPENAI), ("ANTHROPIC", ANTHROPIC), ("LOCAL_LLM", OPENAI))


@pytest.fixture(autouse=True)
def impatient(settings: Settings) -> None:
    """All three providers are configured; the tests must not wait as long as production would."""
    settings.OPENAI_API_KEY = settings.ANTHROPIC_API_KEY = "sk-test-0123456789abcdef"
    settings.LOCAL_LLM_MODEL = settings.OPENAI_MODEL = settings.ANTHROPIC_MODEL = "asked-model"
    settings.AI_BACKOFF_BASE_SECONDS = 0.0


def assessment_of(person: Person) -> Assessment:
    """Hand a claim in, do the worker's part, and return what the reviewers will see."""
    answer = hand_in(person.api())
    assert answer.status_code == 202, answer.content
    work()
    with tenant_scope(person.tenant.id):
        assert Claim.objects.get().status == "AWAITING_REVIEW"
        found: Assessment = Assessment.objects.get()
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_never_lost_while_every_provider_misbehaves(cleo: Person, settings: Settings, name: str) -> None:
    if CASES[name].code == "timeout":
        settings.AI_CALL_TIMEOUT_SECONDS = 0.3  # elsewhere what a server does is looked at, not how fast
    if any(CASES[name].pauses):
        settings.AI_DEADLINE_SECONDS = 4.0  # no provider's share of it has room for the pauses asked for
    with ExitStack() as stack:
        servers = {prefix: stack.enter_context(loopback(CASES[name].turn(wire))) for prefix, wire in LINKS}
        for prefix, server in servers.items():
            setattr(settings, f"{prefix}_BASE_URL", server.url)
        assessment = assessment_of(cleo)
    assert all(server.requests for server in servers.values()), "every provider was asked"
    assert (assessment.provider_name, assessment.degraded) == ("rules", True)
    assert "vision_model" in assessment.degraded_reasons


def test_a_claim_is_never_lost_while_no_provider_is_there(cleo: Person, settings: Settings) -> None:
    with nobody_listens() as url:
        settings.OPENAI_BASE_URL = settings.ANTHROPIC_BASE_URL = settings.LOCAL_LLM_BASE_URL = url
        assessment = assessment_of(cleo)
    assert (assessment.provider_name, assessment.degraded) == ("rules", True)


def test_the_second_provider_answers_while_the_first_hangs(cleo: Person, settings: Settings) -> None:
    settings.AI_CALL_TIMEOUT_SECONDS = 5.0  # what answers has all the time it needs
    settings.AI_ATTEMPTS = 1
    settings.LOCAL_LLM_BASE_URL = ""
    unsure = GOOD_ANSWER | {"statements": [], "severity": "UNSURE", "scenario": "UNKNOWN"}
    with loopback(hangs) as silent, loopback(ANTHROPIC.answers_json(unsure)) as sound:
        settings.OPENAI_BASE_URL, settings.ANTHROPIC_BASE_URL = silent.url, sound.url.removesuffix("/v1")
        assessment = assessment_of(cleo)
    assert (assessment.provider_name, assessment.provider_model) == ("anthropic", "served-model")
    assert (assessment.degraded, assessment.provider_attempts) == (False, 2)


def test_a_job_that_runs_again_pays_once(cleo: Person, settings: Settings) -> None:
    """The worker dies after the model answered and before the opinion is recorded: the next one takes the answer."""
    settings.ANTHROPIC_API_KEY = settings.LOCAL_LLM_BASE_URL = ""
    unsure = GOOD_ANSWER | {"statements": [], "severity": "UNSURE", "scenario": "UNKNOWN"}
    with loopback(OPENAI.answers_json(unsure)) as server:
        settings.OPENAI_BASE_URL = server.url
        claim_id = hand_in(cleo.api()).json()["id"]
        lease = take_job(job_id=Job.objects.get().id, now=timezone.now())
        assert lease is not None
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
            patch.setattr(assessing, "record_assessment", killed)
            tasks.assess(lease)
        assert release_job(lease=lease, now=timezone.now())
        work()
    with tenant_scope(cleo.tenant.id):
        assessment, cost = Assessment.objects.get(), CostRecord.objects.get()
    assert len(server.requests) == 1
    assert (assessment.provider_name, assessment.provider_attempts, assessment.degraded) == ("openai", 0, False)
    assert (cost.reference, cost.input_tokens) == (claim_id, 321)


def killed(**_arguments: object) -> None:
    raise SystemExit
