"""Hard braking and stops of the own vehicle, from the proxy of its speed."""

from __future__ import annotations

import numpy as np

from aiassist.types import EvidenceStage, HazardKind
from aiassist.video.events import Event, score_from
from aiassist.video.robust import Array, runs
from aiassist.video.speed import Speed

# Share of the clip's usual speed that is lost within a second. Scenery makes the proxy waver by a third at constant
# speed; 4 m/s² (harsh in fleet telematics) takes a quarter to a half of a town speed in a second.
HARD_LOSS = 0.5
SPAN_SECONDS = 1.0
# Only a loss that ends low is one: a wavering proxy returns to its level.
LEAST_BEFORE, MOST_AFTER = 0.6, 0.45
AFTER_SECONDS = 0.6
MIN_SECONDS = 0.15


def speed_loss(seconds: Array, speed: Speed) -> Array:
    """Per picture: by how much (of the usual speed) the speed falls over the next second."""
    if not speed.known:
        return np.zeros(seconds.size)
    later = np.interp(seconds + SPAN_SECONDS, seconds, speed.relative)
    inside = seconds + SPAN_SECONDS <= seconds[-1]
    return np.asarray(np.where(inside, np.minimum(speed.relative, 1.5) - later, 0.0))


def brake_events(seconds: Array, speed: Speed, loss: Array) -> list[Event]:
    """Stretches in which speed is lost fast and stays lost."""
    if seconds.size < 5 or not speed.known:
        return []
    step = float(np.median(np.diff(seconds)))
    events = []
    for first, last in runs(loss >= HARD_LOSS, join=round(0.3 / max(step, 1e-3))):
        start = float(seconds[first])
        end = min(float(seconds[last]) + SPAN_SECONDS, float(seconds[-1]))
        after = (seconds >= end) & (seconds <= end + AFTER_SECONDS)
        if seconds[last] - start < MIN_SECONDS or speed.relative[first] < LEAST_BEFORE:
            continue
        if np.median(speed.relative[after]) > MOST_AFTER * min(float(speed.relative[first]), 1.0):
            continue
        peak = first + int(np.argmax(loss[first : last + 1]))
        events.append(_event(float(loss[peak]), start, end, float(seconds[peak]) + SPAN_SECONDS / 2))
    return events


def _event(value: float, start: float, end: float, middle: float) -> Event:
    return Event(
        HazardKind.HARD_BRAKE,
        EvidenceStage.MOTION,
        "hard_brake",
        "speed_loss_per_second",
        value,
        HARD_LOSS,
        start,
        end,
        min(middle, end),
        score_from(value, HARD_LOSS),
    )
