from __future__ import annotations

import pytest

from config.environment import EnvironmentProblem, Reader


@pytest.mark.parametrize(("given", "value"), [("2", 2.0), ("0.5", 0.5), (" 10 ", 10.0)])
def test_seconds_reads_numbers_in_range(given: str, value: float) -> None:
    assert Reader({"AI_DEADLINE_SECONDS": given}).seconds("AI_DEADLINE_SECONDS", 9.0, low=0.1, high=10.0) == value


@pytest.mark.parametrize("given", ["", "soon", "nan", "inf", "-1", "10.1"])
def test_seconds_names_the_variable_that_is_wrong(given: str) -> None:
    with pytest.raises(EnvironmentProblem, match=r"^AI_DEADLINE_SECONDS: must be seconds from 0.1 to 10"):
        Reader({"AI_DEADLINE_SECONDS": given}).seconds("AI_DEADLINE_SECONDS", 9.0, low=0.1, high=10.0)
