"""`manage.py flow`: writes jobs of the harness and tells how they stand, as one JSON line."""

from __future__ import annotations

import json
import random
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.db.models import Count, Max, Sum
from django.utils import timezone

from observability.jobs import enqueue_job
from observability.models import DeadLetter, Job, WorkerHeartbeat
from tests.flow.models import FlowResult


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--enqueue", type=int, default=0)
        parser.add_argument("--kind", default="flow.work")
        parser.add_argument("--seconds", default="0.2:0.4", help="low:high of the time that each job takes")

    def handle(self, *_args: Any, **options: Any) -> None:
        low, high = (float(part) for part in options["seconds"].split(":"))
        for number in range(options["enqueue"]):
            with transaction.atomic():
                arguments = {"seconds": f"{random.uniform(low, high):.3f}", "name": f"{options['kind']}-{number}"}
                enqueue_job(kind=options["kind"], tenant_ref="", arguments=arguments, now=timezone.now())
        self.stdout.write(json.dumps(report()))


def report() -> dict[str, Any]:
    attempts = Job.objects.aggregate(total=Sum("attempts"), most=Max("attempts"))
    return {
        "states": dict(Job.objects.values_list("state").annotate(Count("id"))),
        "attempts": attempts["total"] or 0,
        "most_attempts": attempts["most"] or 0,
        "results": FlowResult.objects.count(),
        "distinct": FlowResult.objects.values("job_ref").distinct().count(),
        "letters": dict(DeadLetter.objects.values_list("kind", "reason_code")),
        "workers": WorkerHeartbeat.objects.count(),
        "details": list(Job.objects.exclude(error_detail="").values_list("error_detail", flat=True)[:5]),
    }
