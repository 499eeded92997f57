"""``manage.py train_fraud``: a tenant's own fraud model of its decided claims, or the learner on public ones."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from aiassist.fraud.card import card_text
from aiassist.fraud.gate import refusals
from aiassist.fraud.history import train_from_history
from aiassist.fraud.public_claims import LEFT_OUT, PROTECTED, TEST_YEAR, TRAINING_YEAR, public_claims
from aiassist.fraud.services import activate_fraud_model
from aiassist.fraud.training import Trained, train_fraud_model
from aiassist.models import FraudModelVersion
from config.fraud_history import history_notes, history_table
from observability.errors import PlatformError
from reviews.fraud_history import fraud_verdicts
from tenancy.models import Tenant
from tenancy.principals import Principal, system_principal
from tenancy.scope import tenant_scope

_FAILED, _USAGE, _NOT_FOUND = 1, 2, 3


class Command(BaseCommand):
    help = (
        "Trains a fraud model in time (chosen and fitted on earlier claims, tested once on later ones) and writes its "
        "card. With --tenant on the tenant's decided claims, with --csv on a public table, for evaluation only."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--tenant", metavar="SLUG", help="train on this tenant's decided claims and keep the model")
        source.add_argument("--csv", type=Path, metavar="FILE", help="evaluate on fraud_oracle's table; keeps nothing")
        parser.add_argument("--activate", action="store_true", help="with --tenant: use the model if the gate lets it")
        parser.add_argument("--card", type=Path, metavar="FILE", help="write the card there instead of printing it")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["activate"] and not options["tenant"]:
            raise CommandError("--activate needs --tenant.", returncode=_USAGE)
        try:
            if options["csv"]:
                self._evaluate(options["csv"], options)
            else:
                self._train(options["tenant"], options)
        except PlatformError as error:
            raise CommandError(error.message, returncode=_FAILED) from error

    def _evaluate(self, path: Path, options: dict[str, Any]) -> None:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.", returncode=_NOT_FOUND)
        earlier, later = public_claims(path)
        trained = train_fraud_model(earlier, later, version="of a public table")
        card = card_text(
            trained,
            source=f"{path.name}, public vehicle claims with a label of their own.",
            split=f"chosen and fitted inside {TRAINING_YEAR}, tested once on {TEST_YEAR}.",
            notes=[f"Not read: {', '.join(sorted(LEFT_OUT))}. Protected: {', '.join(PROTECTED)} and Age."],
            refused=refusals(trained),
        )
        self._tell(card, _figures(trained), options)

    def _train(self, slug: str, options: dict[str, Any]) -> None:
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {slug!r}.", returncode=_NOT_FOUND)
        actor = system_principal(tenant_id=tenant.id, name="train_fraud")
        with tenant_scope(tenant.id):
            verdicts = fraud_verdicts()
            version = train_from_history(
                actor=actor, history=history_table(verdicts), notes=history_notes(verdicts), now=timezone.now()
            )
            if options["activate"]:
                version = self._activate(version, actor)
        known = {"tenant": slug, "version": version.version, "state": version.state, "refusals": version.refusals}
        self._tell(version.card, known, options)

    def _activate(self, version: FraudModelVersion, actor: Principal) -> FraudModelVersion:
        if not version.passed:
            reasons = " ".join(refusal["detail"] for refusal in version.refusals)
            raise CommandError(f"{version.version} is kept and not activated: {reasons}", returncode=_FAILED)
        return activate_fraud_model(actor=actor, number=version.number, now=timezone.now())

    def _tell(self, card: str, figures: dict[str, Any], options: dict[str, Any]) -> None:
        if options["card"]:
            options["card"].write_text(card, encoding="utf-8")
        if options["json"]:
            self.stdout.write(json.dumps(figures))
        elif options["card"]:
            self.stdout.write(f"{options['card']} written")
        else:
            self.stdout.write(card)


def _figures(trained: Trained) -> dict[str, Any]:
    return {
        "learner": trained.chosen,
        "training_cases": len(trained.earlier),
        "test_cases": len(trained.later),
        "base_rate": round(trained.later.base_rate, 4),
        "auc": asdict(trained.test.auc),
        "average_precision": asdict(trained.test.average_precision),
        "cost_of_leaving_protected_out": asdict(trained.cost_of_leaving_out) if trained.cost_of_leaving_out else None,
    }
