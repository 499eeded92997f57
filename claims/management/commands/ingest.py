"""`manage.py ingest VIDEO… --tenant SLUG`: hands videos in as claims, and shows how far they are."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from claims import ingesting
from claims.ingesting import Ingested, follow_claims, ingest_file, member_of
from observability.errors import LimitReached, NotFound, PlatformError, Unavailable
from tenancy.principals import Principal

_FAILED, _USAGE, _NOT_FOUND, _TRY_LATER = 1, 2, 3, 75
_LONGEST_NUMBER = 64
# What the same command may get done later: the database is back, the month is over.
_LATER = LimitReached | Unavailable
_Tell = Callable[[str, float], None]


class Command(BaseCommand):
    help = "Hands in videos as claims of a tenant. Exit code: 0 ok, 1 refused, 2 usage, 3 not found, 75 try later."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument(
            "--claim-number", metavar="NUMBER", help="for one video; else the file's name is the number"
        )
        parser.add_argument("--user", metavar="NAME", help="hand in as this member (else the tenant's administrator)")
        parser.add_argument("--wait", action="store_true", help="stay until the claims are assessed")
        parser.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="longest wait (600)")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        videos: list[Path] = options["videos"]
        if options["claim_number"] and len(videos) > 1:
            raise CommandError("--claim-number names one claim; give one video.", returncode=_USAGE)
        try:
            actor = member_of(tenant_slug=options["tenant"], username=options["user"])
        except NotFound as error:
            raise CommandError(error.message, returncode=_NOT_FOUND) from error
        with _progress_bar(quiet=options["json"]) as tell:
            results = [self._hand_in(path, options["claim_number"], actor, tell) for path in videos]
            states, late = self._follow(results, actor, options, tell)
        self._report(results, states, as_json=options["json"])
        sys.exit(_exit_code(results, late=late))

    def _hand_in(self, path: Path, number: str | None, actor: Principal, tell: _Tell) -> Ingested:
        size = path.stat().st_size if path.is_file() else 0
        read = 0

        def count(more: int) -> None:
            nonlocal read
            read += more
            tell(f"{path.name}: reading", 100.0 * read / max(1, size))

        return ingest_file(path=path, claim_number=(number or path.stem)[:_LONGEST_NUMBER], actor=actor, on_read=count)

    def _follow(
        self, results: list[Ingested], actor: Principal, options: dict[str, Any], tell: _Tell
    ) -> tuple[dict[UUID, ingesting.Progress], bool]:
        """Return the last known progress of each claim, and whether some took longer than the wait."""
        ids = [result.claim_id for result in results if result.claim_id is not None]
        known: dict[UUID, ingesting.Progress] = {}
        if not ids or not options["wait"]:
            return known, False
        assert actor.tenant_id is not None
        names = {result.claim_id: result.claim_number for result in results}
        following = follow_claims(claim_ids=ids, tenant_id=actor.tenant_id, patience_seconds=options["timeout"])
        try:
            for states in following:
                known = {state.claim_id: state for state in states}
                for state in states:
                    tell(f"{names[state.claim_id]}: {state.stage.lower() or 'waiting'}", float(state.percent))
        except Unavailable as error:
            self.stderr.write(error.message)
            return known, True
        return known, False

    def _report(self, results: list[Ingested], states: dict[UUID, ingesting.Progress], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"items": [_data(result, states) for result in results]}))
            return
        for result in results:
            if result.error is not None:
                self.stderr.write(f"{result.path}: {result.error.message} ({result.error.code})")
                continue
            state = states.get(result.claim_id) if result.claim_id else None
            again = ", was here before" if result.duplicate else ""
            self.stdout.write(f"{result.claim_number} {result.claim_id} {state.status if state else 'RECEIVED'}{again}")


def _data(result: Ingested, states: dict[UUID, ingesting.Progress]) -> dict[str, object]:
    state = states.get(result.claim_id) if result.claim_id else None
    return {
        "file": str(result.path),
        "id": str(result.claim_id) if result.claim_id else None,
        "claim_number": result.claim_number or None,
        "duplicate": result.duplicate,
        "status": state.status if state else ("RECEIVED" if result.claim_id else None),
        "error": {"code": result.error.code, "detail": result.error.message} if result.error else None,
    }


def _exit_code(results: list[Ingested], *, late: bool) -> int:
    errors = [result.error for result in results if result.error is not None]
    if any(isinstance(error, PlatformError) and not isinstance(error, _LATER | NotFound) for error in errors):
        return _FAILED
    if any(isinstance(error, NotFound) for error in errors):
        return _NOT_FOUND
    return _TRY_LATER if late or errors else 0


@contextlib.contextmanager
def _progress_bar(*, quiet: bool) -> Iterator[_Tell]:
    """Yield a function that shows how far something is: a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _what, _percent: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        rows: dict[str, Any] = {}

        def tell(what: str, percent: float) -> None:
            name = what.partition(":")[0]
            if name not in rows:
                rows[name] = bar.add_task(what, total=100.0)
            bar.update(rows[name], description=what, completed=percent)

        yield tell
