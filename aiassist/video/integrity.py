"""Signs that the file is not one untouched recording: repeated pictures, loops, black, test bars, broken clocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aiassist.types import IntegrityCode, IntegrityFlag
from aiassist.video.cuts import Cut
from aiassist.video.observe import VideoRecord
from aiassist.video.robust import runs
from aiassist.video.stream import StreamCounts

# Luma (0–255) under which a picture is black, and the contrast under which nothing stands in it.
BLACK_MEAN, BLACK_CONTRAST = 28.0, 4.0
BLACK_SHARE = 0.9
# A stretch of repeated pictures this long is no dropped frame any more.
FROZEN_SECONDS = 0.5
FREEZE_END_SECONDS = 0.12
# The encoder sharpens a frozen picture over some pictures: these differ by less than this share of the moving ones.
REFINING_PICTURES, QUIET_SHARE = 4, 0.3
# A freeze stops at once: the neighbours differ this much more. A car that stops at a light has 0.2–0.5 there.
ABRUPT_RATIO, ABRUPT_DIFFERENCE = 6.0, 1.0
# A gap in the time stamps of this many usual steps, and at least this long, is missing time.
GAP_STEPS, GAP_SECONDS = 4.0, 0.3


def cut_flags(cuts: tuple[Cut, ...], frozen: list[IntegrityFlag]) -> list[IntegrityFlag]:
    """One flag per splice; the leap at the end of a frozen picture belongs to the freeze."""
    ends = [flag.end_seconds for flag in frozen if flag.end_seconds is not None]
    return [
        IntegrityFlag(
            IntegrityCode.EDIT_CUT,
            "The picture breaks off and another begins: no motion explains the change.",
            round(cut.score, 3),
            1.0,
            round(cut.seconds, 3),
            round(cut.seconds, 3),
        )
        for cut in cuts
        if all(abs(cut.seconds - end) > FREEZE_END_SECONDS for end in ends)
    ]


def black_flag(record: VideoRecord) -> IntegrityFlag | None:
    """A flag when (nearly) every picture is dark and without contrast."""
    dark = dark_pictures(record)
    share = float(dark.mean())
    if share < BLACK_SHARE:
        return None
    detail = "The pictures are black or of one even shade."
    return IntegrityFlag(IntegrityCode.STATIC_BLACK, detail, round(share, 3), BLACK_SHARE)


def dark_pictures(record: VideoRecord) -> NDArray[np.bool_]:
    """Pictures in which nothing can be seen: dark, or of one shade whatever its brightness."""
    thumbs = record.thumb.reshape(record.count, -1)
    flat = thumbs.std(axis=1) < BLACK_CONTRAST
    textureless = record.texture.reshape(record.count, -1).astype(np.float32).mean(axis=1) < 1.5
    return np.asarray(flat & ((thumbs.mean(axis=1) < BLACK_MEAN) | textureless))


def frozen_flags(record: VideoRecord) -> list[IntegrityFlag]:
    """Flags stretches of one picture that begin and end abruptly inside a recording that moves otherwise."""
    flags = []
    repeated = record.repeated & (np.arange(record.count) > 0)
    for run_first, run_last in runs(repeated, join=REFINING_PICTURES):
        first = _first_quiet(record.difference, run_first)
        last = _last_quiet(record.difference, run_last)
        start, end = float(record.seconds[first - 1]), float(record.seconds[last])
        if end - start >= FROZEN_SECONDS and _is_abrupt(record.difference, first, last):
            detail = "The same picture is repeated while the scene around it moves."
            value = round(end - start, 3)
            flags.append(
                IntegrityFlag(
                    IntegrityCode.FROZEN_FRAMES, detail, value, FROZEN_SECONDS, round(start, 3), round(end, 3)
                )
            )
    return flags


def _first_quiet(difference: NDArray[np.float32], first: int) -> int:
    """Goes back over the pictures in which the encoder still sharpened the frozen picture."""
    while first > 7 and difference[first - 1] < QUIET_SHARE * np.median(difference[first - 7 : first - 1]):
        first -= 1
    return first


def _last_quiet(difference: NDArray[np.float32], last: int) -> int:
    """Goes on over pictures that the encoder still changed a little before the scene moves again."""
    while last + 2 < difference.size and difference[last + 1] < QUIET_SHARE * np.median(
        difference[last + 2 : last + 8]
    ):
        last += 1
    return last


def _is_abrupt(difference: NDArray[np.float32], first: int, last: int) -> bool:
    """True when the pictures right before and right after differ clearly; a vehicle that stops slows down first."""
    inside = float(np.median(difference[first : last + 1]))
    sides = [side for side in (difference[max(1, first - 3) : first], difference[last + 1 : last + 4]) if side.size]
    return bool(sides) and all(float(side.min()) > max(ABRUPT_RATIO * inside, ABRUPT_DIFFERENCE) for side in sides)


def gap_flags(record: VideoRecord, counts: StreamCounts) -> list[IntegrityFlag]:
    """Flags missing time between two pictures and clocks that were set back."""
    steps = np.diff(record.seconds)
    if steps.size < 4:
        return []
    usual = float(np.median(steps))
    threshold = max(GAP_STEPS * usual, GAP_SECONDS)
    flags = [
        IntegrityFlag(
            IntegrityCode.TIMESTAMP_GAP,
            "Time passes between two pictures that the recording does not show.",
            round(float(steps[index]), 3),
            round(threshold, 3),
            round(float(record.seconds[index]), 3),
            round(float(record.seconds[index + 1]), 3),
        )
        for index in np.flatnonzero(steps > threshold)
    ]
    if counts.clock_breaks:
        detail = "The clock of the recording runs backwards or leaps."
        flags.append(IntegrityFlag(IntegrityCode.TIMESTAMP_GAP, detail, float(counts.clock_breaks), 1.0))
    return flags[:20]
