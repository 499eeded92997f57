"""`manage.py reassess` from a shell."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from aiassist.types import Severity
from claims.choices import ClaimStatus
from claims.models import Claim
from claims.services import reassess_next
from observability.models import Job
from tenancy.models import AuditEvent
from tenancy.scope import tenant_scope
from tests.claims.opinions import FakeEngine, opinion_of
from tests.claims.reassessing import assessed_claim, lease_of
from tests.people import Person


def reassess(*words: str, tenant: str = "acme") -> str:
    out = io.StringIO()
    call_command("reassess", *words, "--tenant", tenant, stdout=out)
    return out.getvalue()


def refused(*words: str, **more: Any) -> tuple[int, str]:
    with pytest.raises(CommandError) as refusal:
        reassess(*words, **more)
    return refusal.value.returncode, str(refusal.value)


@pytest.fixture
def claim(cleo: Person, ada: Person) -> Claim:
    return assessed_claim(cleo)


def test_reassess_makes_the_task_in_the_name_of_a_member(claim: Claim, ada: Person) -> None:
    data = json.loads(reassess("CLM-1", "--user", "ada", "--reason", "New model.", "--json"))
    assert (data["kind"], data["status"], data["result"]) == ("claims.reassess", "PENDING", None)
    with tenant_scope(ada.tenant.id):
        asked = AuditEvent.objects.order_by("-id")[0]
    assert (asked.event, asked.actor_name, asked.reason) == ("claim.reassessment_requested", "Ada", "New model.")


def test_reassess_by_id_joins_the_task_that_waits(claim: Claim) -> None:
    first = json.loads(reassess("CLM-1", "--json"))
    assert json.loads(reassess(str(claim.id), "--json"))["id"] == first["id"]


def test_reassess_waits_and_tells_what_changed(
    claim: Claim, ada: Person, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def worker(_seconds: float) -> None:
        job = Job.objects.get(kind="claims.reassess")
        with tenant_scope(ada.tenant.id):
            reassess_next(lease=lease_of(job.id), engine=FakeEngine(opinion_of(Severity.HIGH)))

    monkeypatch.setattr("claims.management.commands.reassess.time.sleep", worker)
    with pytest.raises(SystemExit) as end:
        call_command("reassess", "CLM-1", "--tenant", "acme", "--wait")
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "CLM-1 done: version 2" in told and "Severity: Low → High" in told and "Priority: Standard → Urgent" in told


def test_reassess_that_is_not_done_in_time_ends_with_try_later(claim: Claim) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("reassess", "CLM-1", "--tenant", "acme", "--wait", "--timeout", "0", stdout=io.StringIO())
    assert end.value.code == 75


def test_reassess_tells_not_found_by_three(claim: Claim, zoe: Person) -> None:
    assert refused("CLM-2")[0] == 3
    assert refused("CLM-1", tenant="nowhere")[0] == 3
    assert refused("CLM-1", "--user", "nobody")[0] == 3
    assert refused(str(claim.id), tenant="borealis")[0] == 3


def test_reassess_tells_refusals_by_one(claim: Claim, ada: Person) -> None:
    assert refused("CLM-1", "--user", "cleo") == (1, "permission_denied: Your role does not allow this.")
    with tenant_scope(ada.tenant.id):
        Claim.objects.update(status=ClaimStatus.APPROVED)
    code, words = refused("CLM-1")
    assert (code, words.partition(":")[0]) == (1, "claim_decided")
