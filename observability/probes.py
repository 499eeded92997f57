"""Component checks with a timeout each: a dependency that hangs costs one thread, never the answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType

import structlog
from django.db import connection

log = structlog.get_logger(__name__)

# Probes of a balancer, a scraper and a person within a second share one look at the dependency.
_FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class Check:
    """`look` returns a problem in a word or two, empty when all is well. It may hang: it has a thread of its own."""

    name: str
    look: Callable[[], str]
    timeout_seconds: float = 1.0
    required: bool = True


@dataclass(frozen=True)
class Finding:
    name: str
    problem: str
    milliseconds: float
    required: bool

    @property
    def ok(self) -> bool:
        return not self.problem


class Prober:
    """Runs one check, at most once at a time in this process, and remembers the answer for a second."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._done.set()
        self._finding: Finding | None = None
        self._finished_at = float("-inf")

    def start(self) -> None:
        """Begin a look unless one is under way or the last one is fresh."""
        with self._lock:
            if not self._done.is_set() or time.monotonic() - self._finished_at < _FRESH_SECONDS:
                return
            self._done.clear()
        threading.Thread(target=self._run, name=f"probe-{self._check.name}", daemon=True).start()

    def finding(self, deadline: float) -> Finding:
        """Return what was found, or that it timed out."""
        if self._done.wait(max(0.0, deadline - time.monotonic())) and self._finding is not None:
            return self._finding
        return Finding(self._check.name, "timeout", self._check.timeout_seconds * 1000, self._check.required)

    @property
    def timeout_seconds(self) -> float:
        return self._check.timeout_seconds

    def _run(self) -> None:
        started = time.monotonic()
        with _Look() as look:
            look.problem = self._check.look()
        connection.close()  # this thread's own
        if look.problem:
            log.warning("probe_failed", check=self._check.name, problem=look.problem)
        self._finished_at = time.monotonic()
        milliseconds = round((self._finished_at - started) * 1000, 1)
        self._finding = Finding(self._check.name, look.problem, milliseconds, self._check.required)
        self._done.set()


class _Look:
    """The edge of a probe's thread: whatever the library behind a dependency raises is its problem, by name."""

    problem = "check_failed"

    def __enter__(self) -> _Look:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is not None:
            self.problem = type(error).__name__
        return isinstance(error, Exception)


def look_at(probers: Iterable[Prober]) -> list[Finding]:
    """Run the checks at the same time and return what each found within its timeout."""
    started = time.monotonic()
    running = list(probers)
    for prober in running:
        prober.start()
    return [prober.finding(started + prober.timeout_seconds) for prober in running]
