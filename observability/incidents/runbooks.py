"""Runbooks as data: one TOML file for each kind of incident, read once and checked when the program starts."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from observability.errors import PlatformError
from observability.incidents.choices import IncidentKind, IncidentSeverity

FOLDER = Path(__file__).with_name("runbooks")
# Steps and minutes that the product promises for each kind (FEATURES O13).
PROMISED = {
    IncidentKind.SERVICE_DOWN: (6, 30),
    IncidentKind.HIGH_ERROR_RATE: (6, 30),
    IncidentKind.MODEL_FAILURE: (5, 90),
    IncidentKind.DATABASE_FAILURE: (6, 45),
    IncidentKind.SECURITY_BREACH: (6, 120),
}
# What a step may ask the person for.
ASKS = frozenset({"", "breaker", "username", "tenant"})


class UnusableRunbook(PlatformError):
    """A runbook's file cannot be read as one: a fault of ours."""

    code = "unusable_runbook"
    message = "A runbook cannot be read."


@dataclass(frozen=True)
class RunbookStep:
    """One step: with `action` it runs by itself, else a person does what `text` says, mostly by typing `command`."""

    title: str
    text: str
    minutes: int
    action: str = ""
    command: str = ""
    asks: str = ""
    verifies: bool = False
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Runbook:
    """What to do about one kind of incident; `minutes` is how long it all may take."""

    kind: IncidentKind
    title: str
    severity: IncidentSeverity
    summary: str
    minutes: int
    steps: Sequence[RunbookStep]


def runbook_for(kind: IncidentKind) -> Runbook:
    """Return the runbook of the kind; raises UnusableRunbook."""
    return runbooks()[kind]


@cache
def runbooks() -> Mapping[IncidentKind, Runbook]:
    """Return all runbooks by kind, in the order of the kinds; raises UnusableRunbook."""
    found = {book.kind: book for book in (read_runbook(path) for path in sorted(FOLDER.glob("*.toml")))}
    missing = [kind for kind in IncidentKind if kind not in found]
    if missing:
        raise UnusableRunbook(f"There is no runbook for {', '.join(missing)}.")
    return {kind: found[kind] for kind in IncidentKind}


def read_runbook(path: Path) -> Runbook:
    """Return one file's runbook; raises UnusableRunbook with the file's name and what is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        steps = tuple(RunbookStep(**step) for step in raw.pop("steps"))
        kind, severity = IncidentKind(raw.pop("kind")), IncidentSeverity(raw.pop("severity"))
        return Runbook(kind=kind, severity=severity, steps=steps, **raw)
    except (OSError, tomllib.TOMLDecodeError, TypeError, KeyError, ValueError) as error:
        raise UnusableRunbook(f"{path.name}: {error}") from error


def problems_of(book: Runbook, actions: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a runbook, given the known actions."""
    steps, minutes = PROMISED[book.kind]
    if (len(book.steps), book.minutes) != (steps, minutes):
        yield f"{book.kind} has {len(book.steps)} steps in {book.minutes} minutes, not {steps} in {minutes}"
    planned = sum(step.minutes for step in book.steps)
    if planned != book.minutes:
        yield f"{book.kind}: its steps take {planned} minutes, not {book.minutes}"
    for position, step in enumerate(book.steps, 1):
        for problem in _step_problems(step, actions):
            yield f"{book.kind} step {position}: {problem}"


def _step_problems(step: RunbookStep, actions: Mapping[str, Any]) -> Iterator[str]:
    if not (step.title.strip() and step.text.strip() and step.minutes > 0):
        yield "a step has a title, a text and its minutes"
    if bool(step.action) == bool(step.command):
        yield "a step has either an action or a command"
    if step.action and step.action not in actions:
        yield f"there is no action {step.action!r}"
    if step.asks not in ASKS or (step.asks and not step.action):
        yield f"it cannot ask for {step.asks!r}"
    if step.verifies and not step.action:
        yield "only an action can verify"
