"""A Django system check: no start with a runbook that names what does not exist or promises other steps and times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from observability.incidents.actions import known_actions
from observability.incidents.runbooks import UnusableRunbook, problems_of, runbooks


@register()
def check_runbooks(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """Report what is wrong with the runbooks."""
    return [Error(problem, id="observability.E001") for problem in runbook_problems()]


def runbook_problems() -> list[str]:
    """Return what is wrong with the runbooks, each in one line; a server refuses to start with any."""
    actions = known_actions()
    try:
        return [problem for book in runbooks().values() for problem in problems_of(book, actions)]
    except UnusableRunbook as error:
        return [error.message]
