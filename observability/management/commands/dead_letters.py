"""``manage.py dead_letters``: lists, retries, resolves and clears away jobs whose attempts are spent."""

from __future__ import annotations

import argparse
import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from observability.choices import LetterResolution
from observability.dead_letters import (
    KEEP_DAYS,
    JobNotDead,
    LetterEnded,
    letter_named,
    letters,
    remove_ended_letters,
    resolve_letter,
    retry_letter,
)
from observability.errors import NotFound, PlatformError
from observability.models import DeadLetter

_FAILED, _USAGE, _NOT_FOUND = 1, 2, 3
_BY = "command"
_MOST_LISTED = 500


class _AnyOrder(CommandParser):
    """Takes ids wherever they stand: argparse alone is content with none of them at the first option it meets."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        return self.parse_intermixed_args(args, namespace)


class Command(BaseCommand):
    help = "Dead letters. Exit code: 0 ok, 1 refused (ended before), 2 usage, 3 not found."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = _AnyOrder
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["list", "retry", "resolve", "drop", "cleanup"])
        parser.add_argument("letters", nargs="*", type=UUID, metavar="ID", help="of letters or their jobs")
        parser.add_argument("--all", action="store_true", help="every letter that waits (with list: ended ones too)")
        parser.add_argument("--kind", help="only jobs of this kind")
        parser.add_argument("--note", default="", help="kept with the letter; name no person")
        parser.add_argument("--older-than-days", type=_days, default=KEEP_DAYS, metavar="N", help="for cleanup")
        parser.add_argument("--json", action="store_true", help="one JSON line on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            if options["verb"] == "list":
                self._list(options)
            elif options["verb"] == "cleanup":
                count = remove_ended_letters(older_than_days=options["older_than_days"], now=timezone.now())
                self._tell(options, {"deleted": count}, f"{count} ended letters deleted")
            else:
                self._end(options)
        except PlatformError as error:
            code = _NOT_FOUND if isinstance(error, NotFound) else _FAILED
            raise CommandError(f"{error.code}: {error.message}", returncode=code) from error

    def _list(self, options: dict[str, Any]) -> None:
        rows = letters() if options["all"] else letters().filter(resolution="")
        found = list(_of_kind(rows, options)[:_MOST_LISTED])
        if options["json"]:
            self.stdout.write(json.dumps({"letters": [_told(letter) for letter in found]}))
            return
        for letter in found:
            self.stdout.write(
                f"{letter.job_id}  {letter.last_failed_at:%Y-%m-%d %H:%M:%S}  {letter.kind}  {letter.reason_code}"
                f"  {letter.attempts} attempts  {letter.resolution or 'waits'}"
            )
        self.stdout.write(f"{len(found)} dead letters")

    def _end(self, options: dict[str, Any]) -> None:
        named = bool(options["letters"])
        if named == options["all"]:
            raise CommandError("give ids of letters or jobs, or --all", returncode=_USAGE)
        chosen = [letter_named(reference) for reference in options["letters"]] if named else list(_waiting(options))
        ended = sum(self._ended(letter, options) for letter in chosen)
        self._tell(options, {"ended": ended, "chosen": len(chosen)}, f"{ended} of {len(chosen)}: {options['verb']}")
        if ended < len(chosen) and named:
            raise CommandError("some of them were ended before", returncode=_FAILED)

    def _ended(self, letter: DeadLetter, options: dict[str, Any]) -> bool:
        now, note = timezone.now(), options["note"]
        try:
            if options["verb"] == "retry":
                retry_letter(letter_id=letter.id, by=_BY, now=now, note=note)
            else:
                how = LetterResolution.DROPPED if options["verb"] == "drop" else LetterResolution.RESOLVED
                resolve_letter(letter_id=letter.id, by=_BY, now=now, note=note, resolution=how)
        except (LetterEnded, JobNotDead) as refusal:
            self.stderr.write(f"{letter.job_id}: {refusal.code}")
            return False
        return True

    def _tell(self, options: dict[str, Any], told: dict[str, Any], words: str) -> None:
        self.stdout.write(json.dumps(told) if options["json"] else words)


def _waiting(options: dict[str, Any]) -> QuerySet[DeadLetter]:
    return _of_kind(letters().filter(resolution=""), options)


def _of_kind(rows: QuerySet[DeadLetter], options: dict[str, Any]) -> QuerySet[DeadLetter]:
    rows = rows.filter(kind=options["kind"]) if options["kind"] else rows
    return rows.order_by("-last_failed_at", "-id")


def _told(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": str(letter.id),
        "job_id": str(letter.job_id),
        "tenant_id": letter.tenant_ref or None,
        "kind": letter.kind,
        "reason_code": letter.reason_code,
        "attempts": letter.attempts,
        "last_failed_at": letter.last_failed_at.isoformat(),
        "resolution": letter.resolution or None,
    }


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise argparse.ArgumentTypeError("a whole number of days")
    return int(text)
