"""What of a file could not be read: damaged packets with their times, and an end that the header promised."""

from __future__ import annotations

import numpy as np

from aiassist.types import EvidenceStage, Finding
from aiassist.video.film import FilmRoll
from aiassist.video.keyframes import marked_jpeg
from aiassist.video.robust import Array
from aiassist.video.stream import StreamCounts

# Damage within this time is one item; a file torn in many places shows its worst ones.
JOIN_SECONDS = 1.0
MOST_ITEMS = 8
# Sound and picture seldom end together, and the last picture's own duration is not known.
MISSING_SECONDS, MISSING_SHARE = 1.0, 0.05


def damage_findings(counts: StreamCounts, *, film: FilmRoll) -> list[Finding]:
    """One evidence item per damaged stretch: how many packets or pictures of it could not be decoded."""
    groups: list[list[float]] = []
    for seconds in sorted(counts.damaged_seconds):
        if groups and seconds - groups[-1][-1] <= JOIN_SECONDS:
            groups[-1].append(seconds)
        else:
            groups.append([seconds])
    worst = sorted(groups, key=lambda group: (-len(group), group[0]))[:MOST_ITEMS]
    return [_finding("decode_errors", "damaged_packets", len(group), 1.0, group[0], group[-1], film) for group in worst]


def missing_end(counts: StreamCounts, promised: float, *, film: FilmRoll) -> list[Finding]:
    """An evidence item when the pictures end well before the time (seconds) that the header promised."""
    end = counts.last_seconds
    if not ends_early(end, promised):
        return []
    threshold = _threshold(promised)
    return [_finding("missing_end", "missing_seconds", promised - end, threshold, end, promised, film)]


def ends_early(end_seconds: float, promised_seconds: float) -> bool:
    return promised_seconds - end_seconds > _threshold(promised_seconds)


def _threshold(promised_seconds: float) -> float:
    return max(MISSING_SECONDS, MISSING_SHARE * promised_seconds)


def damage_over_time(counts: StreamCounts, seconds: Array) -> Array:
    """How many damaged packets were met up to each picture since the one before."""
    slots = np.clip(np.searchsorted(seconds, np.array(counts.damaged_seconds)), 0, seconds.size - 1)
    return np.bincount(slots, minlength=seconds.size).astype(np.float64)


def _finding(
    kind: str, measure: str, value: float, threshold: float, start: float, end: float, film: FilmRoll
) -> Finding:
    lines = (f"{kind} {value:.2f} (threshold {threshold:.2f})", f"integrity at {start:.2f} s")
    return Finding(
        kind=kind,
        stage=EvidenceStage.INTEGRITY,
        measure=measure,
        value=round(float(value), 3),
        threshold=round(threshold, 3),
        start_seconds=round(start, 3),
        end_seconds=round(end, 3),
        at_seconds=round(start, 3),
        keyframe_jpeg=marked_jpeg(film, start, lines),
    )
