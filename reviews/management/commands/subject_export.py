"""``manage.py subject_export``: writes what is kept about a person into a zip file for that person."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from claims.ingesting import member_of
from claims.models import Claim
from claims.selectors import claim_named, claim_visible_to
from observability.errors import NotFound, PlatformError
from reviews.subject_export import claims_of_person, export_claims
from tenancy.principals import Principal
from tenancy.scope import tenant_scope

_FAILED, _USAGE, _NOT_FOUND = 1, 2, 3


class Command(BaseCommand):
    help = "Writes a person's claims, opinions and decisions for that person. Exit code: 0 ok, 1 refused, 3 not found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--email", default="", help="of the claimant, in any spelling")
        parser.add_argument("--phone", default="", help="of the claimant, with or without country code")
        parser.add_argument("--claim", default="", metavar="CLAIM", help="number or id of one claim")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a zip file that is not there yet")
        parser.add_argument("--user", metavar="NAME", help="in the name of this member (else the administrator)")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not (options["email"] or options["phone"] or options["claim"]):
            raise CommandError("Give --email, --phone or --claim.", returncode=_USAGE)
        try:
            actor = member_of(tenant_slug=options["tenant"], username=options["user"])
            assert actor.tenant_id is not None
            with tenant_scope(actor.tenant_id):
                claims = _claims(actor, options)
                _write(options["out"], export_claims(actor=actor, claims=claims, now=timezone.now()))
        except PlatformError as error:
            code = _NOT_FOUND if isinstance(error, NotFound) else _FAILED
            raise CommandError(f"{error.code}: {error.message}", returncode=code) from error
        except OSError as error:
            raise CommandError(f"{options['out']}: {error.strerror}", returncode=_FAILED) from error
        self.stdout.write(f"{options['out']}: {len(claims)} claim{'s' if len(claims) != 1 else ''}")


def _claims(actor: Principal, options: dict[str, Any]) -> list[Claim]:
    if options["claim"]:
        found = claim_named(principal=actor, name=options["claim"])
        return [claim_visible_to(principal=actor, claim_id=found.id)]
    return claims_of_person(email=options["email"], phone=options["phone"])


def _write(path: Path, content: bytes) -> None:
    """Write the file for its owner alone; one that is there already is not touched."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
