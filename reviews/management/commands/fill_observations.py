"""``manage.py fill_observations --tenant SLUG``: lets monitoring see decisions from before it kept any."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import Q

from claims.models import Assessment
from claims.observing import observe_older_assessments
from reviews.models import Decision
from reviews.observing import FINAL, observe_decision
from tenancy.models import Tenant
from tenancy.policy import TenantPolicy, tenant_policy
from tenancy.scope import tenant_scope

_NOT_FOUND = 3
_BATCH = 500


class Command(BaseCommand):
    help = (
        "Keeps older assessments and their decisions for the monitoring of bias and agreement; what was measured then "
        "is not stored, so drift is not looked for in them. Safe to run again. Exit code: 0 ok, 3 no such tenant."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="one JSON line on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.", returncode=_NOT_FOUND)
        with tenant_scope(tenant.id):
            policy, filled, after = tenant_policy(tenant.id), 0, UUID(int=0)
            while rows := _assessments(after):
                filled += _fill(rows, policy)
                after = rows[-1].id
        words = json.dumps({"tenant": tenant.slug, "filled": filled}) if options["json"] else f"{filled} filled"
        self.stdout.write(words)


def _assessments(after: UUID) -> list[Assessment]:
    wanted = Assessment.objects.filter(id__gt=after).order_by("id").select_related("claim")
    return list(wanted.defer("signals", "hazards", "summary")[:_BATCH])


@transaction.atomic
def _fill(rows: Sequence[Assessment], policy: TenantPolicy) -> int:
    filled = observe_older_assessments(rows, policy)
    final = Q(assessment_id__in=[row.id for row in rows], decision__in=FINAL)
    for decision in Decision.objects.filter(final).select_related("assessment").order_by("decided_at", "id"):
        observe_decision(decision)
    return filled
