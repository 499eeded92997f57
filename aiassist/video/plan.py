"""Which stretches of a long clip are decoded whole: around the strongest cues, and an even sample of the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiassist.video.cues import Cue

# Eight seconds hold what led to an event and what came of it, as long as the clips that the measures were made on.
BEFORE_SECONDS, AFTER_SECONDS = 4.5, 3.5
# Together about a tenth of the clip: full decoding runs at 4 to 5 times real time, the first pass at 40.
CUE_SHARE, LEAST_CUE_SECONDS = 0.08, 40.0
EVEN_SECONDS, EVEN_EVERY_SECONDS, FEWEST_EVEN = 3.0, 100.0, 4
# A longer stretch would need more memory for its pictures than the child should hold.
LONGEST_SECONDS = 24.0
JOIN_SECONDS = 0.5
# A cue this far inside a stretch is seen with what comes before and after.
SEEN_BEFORE_SECONDS, SEEN_AFTER_SECONDS = 2.0, 1.5


@dataclass(frozen=True)
class Stretch:
    start_seconds: float
    end_seconds: float

    @property
    def seconds(self) -> float:
        return self.end_seconds - self.start_seconds


def planned(cues: list[Cue], duration_seconds: float) -> list[Stretch]:
    """Disjoint stretches in order of time; `cues` come strongest first."""
    budget = max(LEAST_CUE_SECONDS, CUE_SHARE * duration_seconds)
    chosen: list[Stretch] = []
    for cue in cues:
        if sum(stretch.seconds for stretch in chosen) >= budget:
            break
        if not any(_sees(stretch, cue.seconds, duration_seconds) for stretch in chosen):
            chosen = _with(chosen, cue.seconds - BEFORE_SECONDS, cue.seconds + AFTER_SECONDS, duration_seconds)
    for middle in even_moments(duration_seconds):
        chosen = _with(chosen, middle - EVEN_SECONDS / 2, middle + EVEN_SECONDS / 2, duration_seconds)
    # What the cues leave of their share goes where nothing was looked at.
    budget += EVEN_SECONDS * len(even_moments(duration_seconds))
    while sum(stretch.seconds for stretch in chosen) < budget - EVEN_SECONDS:
        start, end = _widest_gap(chosen, duration_seconds)
        if end - start < 2 * EVEN_SECONDS:
            break
        middle = (start + end) / 2
        chosen = _with(chosen, middle - EVEN_SECONDS / 2, middle + EVEN_SECONDS / 2, duration_seconds)
    return [piece for stretch in chosen for piece in _pieces(stretch)]


def even_moments(duration_seconds: float) -> list[float]:
    """The middles of the even sample: fixed by the duration alone, so that a copy of the clip is sampled alike."""
    count = max(FEWEST_EVEN, round(duration_seconds / EVEN_EVERY_SECONDS))
    return [float(at) for at in (np.arange(count) + 0.5) / count * duration_seconds]


def even_pictures(duration_seconds: float, count: int) -> list[float]:
    """`count` moments spread over the stretches of the even sample, in order of time."""
    middles = even_moments(duration_seconds)
    position = (np.arange(count) + 0.5) / count * len(middles)
    whole = np.minimum(position.astype(int), len(middles) - 1)
    inside = (position - whole - 0.5) * (EVEN_SECONDS - 1.0)
    return [middles[number] + float(shift) for number, shift in zip(whole, inside, strict=True)]


def _widest_gap(chosen: list[Stretch], duration: float) -> tuple[float, float]:
    """The longest time between two stretches; the first of equal ones."""
    starts = [0.0, *(stretch.end_seconds for stretch in chosen)]
    ends = [*(stretch.start_seconds for stretch in chosen), duration]
    return max(zip(starts, ends, strict=True), key=lambda gap: (round(gap[1] - gap[0], 3), -gap[0]))


def _sees(stretch: Stretch, at: float, duration: float) -> bool:
    before = stretch.start_seconds <= max(0.0, at - SEEN_BEFORE_SECONDS)
    return before and stretch.end_seconds >= min(duration, at + SEEN_AFTER_SECONDS)


def _with(chosen: list[Stretch], start: float, end: float, duration: float) -> list[Stretch]:
    """The stretches and one more; what overlaps or nearly touches becomes one."""
    start, end = max(0.0, start), min(duration, end)
    apart = []
    for stretch in chosen:
        if stretch.end_seconds + JOIN_SECONDS < start or stretch.start_seconds - JOIN_SECONDS > end:
            apart.append(stretch)
        else:
            start, end = min(start, stretch.start_seconds), max(end, stretch.end_seconds)
    return sorted([*apart, Stretch(start, end)], key=lambda stretch: stretch.start_seconds)


def _pieces(stretch: Stretch) -> list[Stretch]:
    """Equal parts of at most the longest length."""
    count = max(1, int(np.ceil(stretch.seconds / LONGEST_SECONDS)))
    edges = np.linspace(stretch.start_seconds, stretch.end_seconds, count + 1)
    return [Stretch(float(edges[number]), float(edges[number + 1])) for number in range(count)]
