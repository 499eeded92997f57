"""Recognises pictures that no camera took: colour bars and clips that show one still picture."""

from __future__ import annotations

import numpy as np

from aiassist.types import IntegrityCode, IntegrityFlag
from aiassist.video.observe import REPEAT_DIFFERENCE, Floats, VideoRecord

# Colour bars are columns of one colour each: seven (SMPTE, EBU with white) or eight (with black) in a row.
MIN_BARS, MAX_BARS = 5, 12
# Spread of a column's colour down the bars, in grey levels, and the step between two bars.
COLUMN_SPREAD = 10.0
BAR_STEP = 30.0
# Bars are colours of 75 or 100 per cent saturation; a photographed street has about 0.2.
MIN_SATURATION = 0.5
BARS_SHARE = 0.8
# Key pictures of the encoder differ a little from their neighbours, so not all pictures of a still clip are equal.
STILL_SHARE = 0.9
STILL_DRIFT = 8.0
ENCODER_SETTLES_PICTURES = 12
MIN_STILL_PICTURES = 8


def colour_bars_flag(record: VideoRecord) -> IntegrityFlag | None:
    """A flag when most of the clip shows colour bars."""
    if not record.colour.shape[0]:
        return None
    share = float(np.mean([shows_bars(picture) for picture in record.colour]))
    if share < BARS_SHARE:
        return None
    return IntegrityFlag(IntegrityCode.TEST_BARS, "The clip shows a test card.", round(share, 3), BARS_SHARE)


def shows_bars(picture: Floats) -> bool:
    """True when the upper half of a small RGB picture is made of upright bars of saturated colour."""
    upper = picture[1 : picture.shape[0] // 2]
    columns = upper.mean(axis=0)
    steady = np.median(upper.std(axis=0).max(axis=1)) < COLUMN_SPREAD
    steps = np.abs(np.diff(columns, axis=0)).max(axis=1) > BAR_STEP
    # The edge of a bar may fall into a cell and make two steps of one.
    edges = int(steps[0]) + int((steps[1:] & ~steps[:-1]).sum())
    saturation = (columns.max(axis=1) - columns.min(axis=1)) / np.maximum(columns.max(axis=1), 1.0)
    return bool(steady and MIN_BARS <= edges + 1 <= MAX_BARS and np.median(saturation) > MIN_SATURATION)


def still_flag(record: VideoRecord) -> IntegrityFlag | None:
    """A flag when the clip is one still picture: a parked camera's pictures differ at least by their noise."""
    settled = record.difference[ENCODER_SETTLES_PICTURES:]
    if settled.size < MIN_STILL_PICTURES:
        return None
    share = float((settled < REPEAT_DIFFERENCE).mean())
    drift = float(np.abs(record.thumb - record.thumb[-1]).max())
    if share < STILL_SHARE or drift > STILL_DRIFT:
        return None
    detail = "The clip shows one picture that never changes."
    return IntegrityFlag(IntegrityCode.STATIC_BLACK, detail, round(share, 3), STILL_SHARE)
