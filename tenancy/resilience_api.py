"""`GET /debug-resilience`: the service level, why it is so, and what is done instead, for the platform's operator."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from observability.breakers import breaker_facts, breaker_rows, breakers_in_use, part_of
from observability.degradation import TABLE, Rule
from observability.fallbacks import fallback_uses
from observability.service_level import read_standing
from tenancy.base_api import OperationsAPIView
from tenancy.listing import refuse_parameters
from tenancy.scope import every_tenant
from tenancy.serializers import breaker_data


class DebugResilienceView(OperationsAPIView):
    """`GET /debug-resilience`"""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Tell the level with its reasons, the whole table, each breaker's last change, and the fallbacks used."""
        refuse_parameters(request)
        now = timezone.now()
        with every_tenant("the service level is everybody's"):
            standing = read_standing(now=now)
            in_use = breakers_in_use()
            # The last change first; those that never changed last.
            rows = sorted(
                breaker_rows(now=now), key=lambda row: (row.generation == 0, -row.changed_at.timestamp(), row.name)
            )
            breakers = [breaker_facts(row, now=now) for row in rows]
        body: dict[str, Any] = {
            "service_level": standing.level,
            "troubles": [_rule(rule) for rule in standing.rules],
            "queue_seconds": round(standing.queue_seconds, 1),
            "table": [_rule(rule) for rule in TABLE],
            "breakers": [
                {**breaker_data(facts), "part": part_of(facts.name), "in_use": facts.name in in_use}
                for facts in breakers
            ],
            "fallbacks": [
                {
                    "name": use.fallback.name,
                    "kind": use.fallback.kind,
                    "part": use.fallback.part,
                    "instead": use.fallback.words,
                    "used_by_this_process": use.used,
                    "last_used_at": use.used_at,
                }
                for use in fallback_uses()
            ],
        }
        return Response(body, headers={"Cache-Control": "no-store"})


def _rule(rule: Rule) -> dict[str, Any]:
    return {"code": rule.trouble, "trouble": rule.trouble.label, "level": rule.level, "works": rule.works}
