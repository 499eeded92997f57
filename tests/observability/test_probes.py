from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from observability import probes
from observability.probes import Check, Prober, look_at

TIMEOUT = 0.2


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """A dependency that hangs until the test lets it go."""
    opened = threading.Event()
    yield opened
    opened.set()


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_FRESH_SECONDS", 0.0)


def prober(look: Callable[[], str], name: str = "thing") -> Prober:
    return Prober(Check(name, look, timeout_seconds=TIMEOUT))


@pytest.mark.django_db(transaction=True)
def test_look_at_tells_each_problem() -> None:
    good, bad = look_at([prober(lambda: "", "good"), prober(lambda: "full", "bad")])
    assert (good.ok, good.problem) == (True, "")
    assert (bad.ok, bad.problem, bad.name) == (False, "full", "bad")


@pytest.mark.django_db(transaction=True)
def test_look_at_answers_though_a_dependency_hangs_and_asks_it_no_second_time(gate: threading.Event) -> None:
    asked: list[int] = []

    def hang() -> str:
        asked.append(1)
        gate.wait(30)
        return ""

    hanging = prober(hang)
    for _ in range(3):
        assert [finding.problem for finding in look_at([hanging])] == ["timeout"]
    assert len(asked) == 1, "one thread hangs, not one for each probe"


@pytest.mark.django_db(transaction=True)
def test_look_at_heals_when_the_dependency_answers_again(gate: threading.Event) -> None:
    slow = prober(lambda: "" if gate.wait(30) else "never")
    assert not look_at([slow])[0].ok
    gate.set()
    deadline = time.monotonic() + 10
    while not look_at([slow])[0].ok:
        assert time.monotonic() < deadline


@pytest.mark.django_db(transaction=True)
def test_look_at_takes_a_check_that_raises_for_a_problem() -> None:
    def broken() -> str:
        raise RuntimeError("our own fault")

    assert look_at([prober(broken)])[0].problem == "RuntimeError"


@pytest.mark.django_db(transaction=True)
def test_look_at_shares_one_fresh_look_among_many_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "_FRESH_SECONDS", 60.0)
    asked: list[int] = []

    def look() -> str:
        asked.append(1)
        return ""

    counted = prober(look)
    for _ in range(50):
        look_at([counted])
    assert len(asked) == 1
