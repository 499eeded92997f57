"""The operator's desk: each room of the product tells its state in one panel; the page and the API show them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import Error as DatabaseProblem
from django.db.models import TextChoices

from observability.metrics import SourceUnreadable

log = structlog.get_logger(__name__)


class Tone(TextChoices):
    """How urgently a panel wants to be looked at."""

    GOOD = "GOOD", "Good"
    WATCH = "WATCH", "Watch"
    BAD = "BAD", "Bad"
    UNKNOWN = "UNKNOWN", "Unknown"


@dataclass(frozen=True)
class PanelRow:
    """One line of a panel: what it is about, and its value in words with the unit."""

    label: str
    value: str
    tone: Tone = Tone.GOOD


@dataclass(frozen=True)
class PanelState:
    """What a panel says now; `headline` is the one thing to know."""

    tone: Tone
    headline: str
    rows: Sequence[PanelRow] = ()


@dataclass(frozen=True)
class Panel:
    """`read` is quick and reads only; `address` names the page with the whole list, `query` is its filter."""

    name: str
    title: str
    place: int
    read: Callable[[datetime], PanelState]
    address: str = ""
    query: str = ""


@dataclass(frozen=True)
class ShownPanel:
    panel: Panel
    state: PanelState


_panels: dict[str, Panel] = {}
_UNREADABLE = PanelState(Tone.UNKNOWN, "Cannot be read now")


def register_panel(panel: Panel) -> None:
    """Put a panel on the desk; called once when the owner's app starts."""
    _panels[panel.name] = panel


def shown_panels(*, now: datetime) -> list[ShownPanel]:
    """Read every panel, in the order of their places; one that cannot be read says so and holds up no other."""
    ordered = sorted(_panels.values(), key=lambda panel: (panel.place, panel.name))
    return [ShownPanel(panel, _read(panel, now)) for panel in ordered]


def worst_tone(shown: Sequence[ShownPanel]) -> Tone:
    """Return the tone that the whole desk has."""
    order = (Tone.BAD, Tone.UNKNOWN, Tone.WATCH)
    found = {one.state.tone for one in shown}
    return next((tone for tone in order if tone in found), Tone.GOOD)


def in_words(seconds: float) -> str:
    """Return a duration as people say it, in its two largest units."""
    whole = max(0, int(seconds))
    for length, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= length:
            smaller = {"d": (3_600, "h"), "h": (60, "min"), "min": (1, "s")}[name]
            rest = whole % length // smaller[0]
            return f"{whole // length} {name}" + (f" {rest} {smaller[1]}" if rest else "")
    return f"{whole} s"


def _read(panel: Panel, now: datetime) -> PanelState:
    try:
        return panel.read(now)
    except (DatabaseProblem, SourceUnreadable) as problem:
        log.warning("panel_unreadable", panel=panel.name, error=type(problem).__name__)
        return _UNREADABLE
