"""`INCIDENT_ESCALATION`: whom to call, checked when the program starts."""

from __future__ import annotations

import json

import pytest

from config.environment import EnvironmentProblem, Reader

LEVEL = {"name": "Rota", "contact": "#night", "minutes": [5, 15, 60, 480]}


def levels(value: object) -> list[dict[str, object]]:
    text = value if isinstance(value, str) else json.dumps(value)
    return Reader({"INCIDENT_ESCALATION": text}).escalation("INCIDENT_ESCALATION")


def test_levels_are_read_in_their_order() -> None:
    assert levels([LEVEL, {**LEVEL, "name": "Lead"}])[1]["name"] == "Lead"


def test_without_the_variable_somebody_is_called_all_the_same() -> None:
    assert [level["minutes"] for level in levels("")] == [
        [5, 15, 120, 1440],
        [10, 30, 240, 1440],
        [15, 60, 480, 2880],
    ]


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "{}",
        [],
        [LEVEL] * 10,
        ["rota"],
        [{**LEVEL, "colour": "red"}],
        [{"name": "Rota", "minutes": [5, 15, 60, 480]}],
        [{**LEVEL, "name": 7}],
        [{**LEVEL, "minutes": [5, 15, 60]}],
        [{**LEVEL, "minutes": [5, 15, 60, 0]}],
        [{**LEVEL, "minutes": [5, 15, 60, True]}],
        [{**LEVEL, "minutes": [5, 15, 60, 1e9]}],
    ],
    ids=str,
)
def test_anything_else_ends_the_start_with_one_line_that_names_it(value: object) -> None:
    with pytest.raises(EnvironmentProblem, match=r"^INCIDENT_ESCALATION: [^\n]+$"):
        levels(value)
