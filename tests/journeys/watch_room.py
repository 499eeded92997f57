"""The people of a game day: an operator's program that follows runbooks, and the pager that calls them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.program import Answer, Program
from tests.observability.alerts.receivers import Service
from tests.processes import wait_until

Incident = dict[str, Any]


@dataclass
class WatchRoom:
    """Whoever is called: sees incidents over the API, does their steps, and knows what the pager rang for."""

    program: Program
    pager: Service
    # Of each fault: seconds from its injection to the page.
    found_after: dict[str, float] = field(default_factory=dict)

    def incident(self, kind: str, subject: str, *, seconds: float = 60.0) -> Incident:
        """Wait for the incident, take it on and return it with its steps."""
        wait_until(lambda: self._open(kind, subject), f"{kind} about {subject}", seconds=seconds, log=self._standing)
        number = self._open(kind, subject)[0]["id"]
        return _ok(self.program.post(f"/api/v1/incidents/{number}/acknowledge", {}))

    @contextmanager
    def timed(self, event: str, subject: str, *, seconds: float = 60.0) -> Iterator[None]:
        """Inject a fault in the block, wait until the pager rings about it, and note how long that took."""
        began, rung = time.monotonic(), len(self.pager.got)
        yield

        def rang() -> bool:
            pages = [body["payload"] for body in self.pager.got[rung:] if body["event_action"] == "trigger"]
            return any(event in str(page) and subject in str(page) for page in pages)

        wait_until(rang, f"a page about {event} {subject}", seconds=seconds, log=lambda: str(self.pager.got)[-3000:])
        self.found_after[event] = round(time.monotonic() - began, 1)

    def run(self, incident: Incident, position: int, *, target: str = "") -> dict[str, Any]:
        """Run a step's action; it must end well."""
        step = self._step(incident, position, {"do": "RUN", "target": target} if target else {"do": "RUN"})
        assert step["state"] == "DONE", step
        return step

    def tick(self, incident: Incident, position: int, note: str) -> None:
        assert self._step(incident, position, {"do": "TICK", "note": note})["state"] == "DONE"

    def skip(self, incident: Incident, position: int, note: str) -> None:
        assert self._step(incident, position, {"do": "SKIP", "note": note})["state"] == "SKIPPED"

    def verify(self, incident: Incident, position: int, *, seconds: float = 60.0, target: str = "") -> None:
        """Run the verifying step until it finds that all is well, as a person would."""
        seen: dict[str, Any] = {}
        body = {"do": "RUN", "target": target} if target else {"do": "RUN"}

        def well() -> bool:
            seen.update(self._step(incident, position, body))
            return bool(seen["state"] == "DONE")

        wait_until(well, f"step {position} of INC-{incident['id']}", seconds=seconds, log=lambda: str(seen))

    def end(self, incident: Incident, cause: str) -> Incident:
        """Say that it is over, write its report and close it."""
        address = f"/api/v1/incidents/{incident['id']}"
        _ok(self.program.post(f"{address}/resolve", {"note": "The last step found that all is well."}))
        report = self.program.put(f"{address}/report", {"cause": cause, "follow_ups": ""})
        assert report.status == 200, report.body
        return _ok(self.program.post(f"{address}/close", {}))

    def open_incidents(self) -> list[Incident]:
        return list(_ok(self.program.get("/api/v1/incidents?open=true"))["items"])

    def open_alerts(self) -> set[str]:
        """Return what the open alerts are about."""
        return {one["subject"] for one in _ok(self.program.get("/api/v1/alerting/alerts?state=OPEN"))["items"]}

    def _open(self, kind: str, subject: str) -> list[Incident]:
        found = self.program.get("/api/v1/incidents?open=true")
        items = found.json["items"] if found.status == 200 else []
        return [one for one in items if (one["kind"], one["subject"]) == (kind, subject)]

    def _step(self, incident: Incident, position: int, body: Mapping[str, str]) -> dict[str, Any]:
        return _ok(self.program.post(f"/api/v1/incidents/{incident['id']}/steps/{position}", dict(body)))

    def _standing(self) -> str:
        return str([(one["kind"], one["subject"]) for one in self.open_incidents()])


def _ok(answer: Answer) -> dict[str, Any]:
    assert answer.status in (200, 201), answer.body
    return answer.json


def repeat(times: int, do: Callable[[], Answer]) -> set[int]:
    """Do it so often and return the statuses that came back."""
    return {do().status for _ in range(times)}
