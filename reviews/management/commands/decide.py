"""``manage.py decide``: decides one claim in a person's name, by the same rules as page and API."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from aiassist.types import Severity
from claims.errors import ClaimNotFound
from claims.models import Claim
from observability.errors import InvalidInput, NotFound, PlatformError, Unavailable
from reviews.actions import DecisionDraft
from reviews.choices import DecisionKind
from reviews.errors import LeaseHeld, NotReviewable
from reviews.models import Decision
from reviews.serializers import decision_data
from reviews.services import decide_claim
from tenancy.choices import TenantStatus
from tenancy.models import Membership
from tenancy.principals import Principal, principal_of_membership
from tenancy.scope import tenant_scope

_FAILED, _USAGE, _NOT_FOUND, _TRY_LATER = 1, 2, 3, 75  # 75 is EX_TEMPFAIL of sysexits.h


class Command(BaseCommand):
    help = "Decides one claim in a person's name. Exit: 0 ok, 1 refused, 2 usage, 3 not found, 75 try later."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("claim", help="the claim's id or number")
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--user", required=True, metavar="USERNAME", help="who decides")
        parser.add_argument("--decision", required=True, choices=DecisionKind.values)
        parser.add_argument("--reasoning", required=True)
        parser.add_argument("--assessment", type=UUID, metavar="ID", help="what was seen (default: the newest)")
        parser.add_argument("--severity", choices=[s.value for s in Severity], help="in place of the AI's")
        parser.add_argument("--fault", type=float, metavar="PERCENT", help="in place of the AI's")
        parser.add_argument("--fraud", choices=["yes", "no"], help="in place of the AI's")
        parser.add_argument("--override-reason", default="", metavar="TEXT")
        parser.add_argument("--json", action="store_true", help="one JSON line on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = _actor(options["tenant"], options["user"])
            assert actor.tenant_id is not None
            with tenant_scope(actor.tenant_id):
                claim = _claim(options["claim"])
                draft = _draft(claim, options)
                decision = decide_claim(claim_id=claim.id, actor=actor, draft=draft, now=timezone.now())
        except PlatformError as error:
            raise CommandError(f"{error.code}: {_words(error)}", returncode=_exit_code(error)) from error
        self._tell(decision, as_json=options["json"])

    def _tell(self, decision: Decision, *, as_json: bool) -> None:
        data = decision_data(decision)
        if as_json:
            self.stdout.write(json.dumps(data, default=str))
            return
        number, status = decision.claim.claim_number, decision.claim.get_status_display().lower()
        self.stdout.write(f"{number} is {status}: {data['decided_by']['name']}, decision {decision.id}")


def _actor(slug: str, username: str) -> Principal:
    membership = (
        Membership.objects.select_related("user", "tenant")
        .filter(tenant__slug=slug, tenant__status=TenantStatus.ACTIVE, user__username=username, user__is_active=True)
        .first()
    )
    if membership is None:
        raise NotFound(f"{username!r} is no member of an active tenant {slug!r}.")
    return principal_of_membership(membership)


def _claim(name: str) -> Claim:
    """Return the claim of that id or, failing that, number."""
    try:
        found = Claim.objects.filter(id=UUID(name)).first()
    except ValueError:
        found = None
    claim: Claim | None = found or Claim.objects.filter(claim_number=name).first()
    if claim is None:
        raise ClaimNotFound
    return claim


def _draft(claim: Claim, options: dict[str, Any]) -> DecisionDraft:
    assessment_id = options["assessment"] or claim.assessment_id
    if assessment_id is None:
        raise NotReviewable
    return DecisionDraft(
        decision=DecisionKind(options["decision"]),
        reasoning=options["reasoning"],
        assessment_id=assessment_id,
        severity_override=Severity(options["severity"]) if options["severity"] else None,
        fault_override_pct=options["fault"],
        fraud_override={"yes": True, "no": False}.get(options["fraud"]),
        override_reason=options["override_reason"],
    )


def _words(error: PlatformError) -> str:
    return " ".join([error.message, *(problem.detail for problem in error.problems)])


def _exit_code(error: PlatformError) -> int:
    if isinstance(error, NotFound):
        return _NOT_FOUND
    if isinstance(error, InvalidInput):
        return _USAGE
    return _TRY_LATER if isinstance(error, LeaseHeld | Unavailable) else _FAILED
