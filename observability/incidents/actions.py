"""What a runbook's step can do by itself: a registry of named functions that each floor adds to when its app starts.

A function really does its work and says what it found; it opens its own transactions and is safe to run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from observability.errors import PlatformError
from observability.incidents.actors import Actor


@dataclass(frozen=True)
class ActionCall:
    """One run of an action. `target` is what the person named, else the incident's subject; `arguments` are the
    runbook's."""

    subject: str
    target: str
    tenant_ref: str | None
    arguments: Mapping[str, str]
    began_at: datetime
    actor: Actor
    now: datetime


@dataclass(frozen=True)
class ActionResult:
    """`ok`: what was looked at is well, or what was to be done is done. `output` is for people, in lines. `broken`: the
    action itself could not be carried out."""

    ok: bool
    output: str
    broken: bool = False


@dataclass(frozen=True)
class Action:
    """`words` tell what it does in a sentence. One that only `looks` has done its work when it found trouble; only a
    step that verifies fails by it."""

    name: str
    words: str
    run: Callable[[ActionCall], ActionResult]
    looks: bool = False

    def has_done(self, result: ActionResult, *, verifies: bool) -> bool:
        """Whether a step with this action is done by such a result."""
        return not result.broken and (result.ok or (self.looks and not verifies))


_actions: dict[str, Action] = {}


def register_action(action: Action) -> None:
    """Make an action known to runbooks; called once when the owner's app starts."""
    _actions[action.name] = action


def action_named(name: str) -> Action:
    """Return the action; an unknown one raises PlatformError `unknown_action` (the system check finds it earlier)."""
    if name not in _actions:
        raise PlatformError(f"No code is registered for the action {name!r}.", code="unknown_action")
    return _actions[name]


def known_actions() -> dict[str, Action]:
    """Return the registered actions by name."""
    return dict(sorted(_actions.items()))
