"""Runbooks are data: they promise what the product promises, and name nothing that does not exist."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError, SystemCheckError

from observability.incidents import runbooks as reading
from observability.incidents.actions import known_actions
from observability.incidents.checks import check_runbooks
from observability.incidents.choices import IncidentKind
from observability.incidents.runbooks import UnusableRunbook, problems_of, read_runbook, runbooks

COMMANDS = [
    pytest.param(step.command, id=f"{kind}-{position}")
    for kind, book in runbooks().items()
    for position, step in enumerate(book.steps, 1)
    if step.command
]
_STEP = '[[steps]]\ntitle = "a"\ntext = "b"\nminutes = {minutes}\n{rest}\n'
_HEAD = 'kind = "MODEL_FAILURE"\ntitle = "t"\nseverity = "P2"\nsummary = "s"\nminutes = {minutes}\n'


@pytest.mark.parametrize(
    ("kind", "steps", "minutes"),
    [
        ("SERVICE_DOWN", 6, 30),
        ("HIGH_ERROR_RATE", 6, 30),
        ("MODEL_FAILURE", 5, 90),
        ("DATABASE_FAILURE", 6, 45),
        ("SECURITY_BREACH", 6, 120),
    ],
)
def test_each_kind_has_its_promised_steps_and_minutes(kind: str, steps: int, minutes: int) -> None:
    book = runbooks()[IncidentKind(kind)]
    assert (len(book.steps), book.minutes, sum(step.minutes for step in book.steps)) == (steps, minutes, minutes)


def test_every_runbook_passes_the_check_of_the_start() -> None:
    assert check_runbooks(None) == []


def test_every_runbook_ends_with_a_step_that_verifies() -> None:
    assert all(book.steps[-1].verifies for book in runbooks().values())


def test_every_action_is_used_by_a_runbook() -> None:
    used = {step.action for book in runbooks().values() for step in book.steps}
    assert used - {""} <= set(known_actions())
    assert set(known_actions()) - used == {"check_queue"}, "it is part of check_service"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_a_person_types_exists(command: str) -> None:
    words = shlex.split(command)
    if words[:2] != ["python", "manage.py"]:
        assert shutil.which(words[0]), words[0]
        return
    name, arguments = words[2], words[3:]
    found = load_command_class(get_commands()[name], name)
    parser = found.create_parser("manage.py", name)
    parser.parse_args(arguments)  # ends the test with exit 2 for an option that it does not have


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["migrate --check", "showmigrations --plan"])
def test_the_commands_that_only_look_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert any(name in str(command.values[0]) for command in COMMANDS)
    call_command(*name.split())


def written(folder: Path, steps: list[str], minutes: int = 90, name: str = "book.toml") -> Path:
    path = folder / name
    path.write_text(_HEAD.format(minutes=minutes) + "".join(steps), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        ("", "either an action or a command"),
        ('action = "check_breakers"\ncommand = "df"', "either an action or a command"),
        ('action = "fly"', "there is no action 'fly'"),
        ('command = "df"\nverifies = true', "only an action can verify"),
        ('action = "check_breakers"\nasks = "money"', "cannot ask for 'money'"),
        ('command = "df"\nasks = "tenant"', "cannot ask for 'tenant'"),
    ],
)
def test_a_wrong_step_is_found(tmp_path: Path, rest: str, problem: str) -> None:
    good = _STEP.format(minutes=20, rest='command = "df -h"')
    book = read_runbook(written(tmp_path, [good] * 4 + [_STEP.format(minutes=10, rest=rest)]))
    assert [problem in found for found in problems_of(book, known_actions())] == [True]


def test_other_steps_and_minutes_than_promised_are_found(tmp_path: Path) -> None:
    good = _STEP.format(minutes=20, rest='command = "df -h"')
    found = list(problems_of(read_runbook(written(tmp_path, [good] * 4, minutes=60)), known_actions()))
    assert found == [
        "MODEL_FAILURE has 4 steps in 60 minutes, not 5 in 90",
        "MODEL_FAILURE: its steps take 80 minutes, not 60",
    ]


@pytest.mark.parametrize("text", ["kind = ", 'kind = "TEA"\nsteps = []', 'steps = [{title = "a", colour = "red"}]', ""])
def test_a_file_that_is_no_runbook_names_itself(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnusableRunbook, match=r"odd\.toml"):
        read_runbook(path)


def test_no_start_with_a_broken_runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in reading.FOLDER.glob("*.toml"):
        shutil.copy(path, tmp_path)
    good = (tmp_path / "model_failure.toml").read_text(encoding="utf-8")
    (tmp_path / "model_failure.toml").write_text(good.replace('"check_breakers"', '"check_nothing"'), encoding="utf-8")
    monkeypatch.setattr(reading, "FOLDER", tmp_path)
    runbooks.cache_clear()
    try:
        with pytest.raises((SystemCheckError, CommandError), match="there is no action 'check_nothing'"):
            call_command("check")
    finally:
        runbooks.cache_clear()
