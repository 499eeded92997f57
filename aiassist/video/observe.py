"""Turns pictures into a compact record: flow per grid cell, texture, warp error, structure. Runs in the child.

About 5 kB per picture, whatever the resolution, so a long clip stays small; every later measure reads this record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.video.stream import ANALYSIS_HEIGHT, ANALYSIS_WIDTH, Gray, Picture

GRID_COLS, GRID_ROWS = 32, 18  # cells of 10 x 10 analysis pixels
CELLS = GRID_COLS * GRID_ROWS
CELL_PX = ANALYSIS_WIDTH // GRID_COLS
THUMB_COLS, THUMB_ROWS = 32, 18
# A mean difference below a fifth of a grey level is a repeated picture: sensor noise alone makes more.
REPEAT_DIFFERENCE = 0.2

# Flow that fails on this share of the fine structure is tried again; a shift beyond a third of the height is no jolt.
RETRY_FLOW_FAILURE = 0.3
MOST_SHIFT_PX = 60
BLUR_SIGMA = 1.2
# How much more than usual the picture must jump to be kept as a candidate keyframe.
STANDS_OUT_RATIO = 4.0

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]  # 11 bits hold a flow of 2 px to 0.001 px


@dataclass(frozen=True)
class VideoRecord:
    """Per picture arrays of length n; entry i compares picture i with picture i-1 (entry 0 is zero).

    `flow[i]` is pixels (at 320 wide) since the previous *different* picture, which was `flow_step[i]` seconds ago.
    """

    seconds: NDArray[np.float64]
    flow_step: Floats
    flow: Halves  # n, rows, cols, 2
    texture: Halves  # n, rows, cols
    warp_error: Halves  # n, rows, cols: grey levels left after the flow explained what it could
    difference: Floats  # n: mean absolute grey difference to the previous picture
    flow_failure: Floats  # n: share of fine structure that the flow could not carry over, 0 (all) … ~0.7 (unrelated)
    structure_change: Floats  # n: 1 - correlation of the coarse pictures after the flow is undone
    thumb: Floats  # n, rows, cols: mean grey per cell
    colour: Floats  # m, rows, cols, 3: small RGB pictures at `colour_seconds`
    colour_seconds: NDArray[np.float64]

    @property
    def count(self) -> int:
        return int(self.seconds.size)

    @property
    def repeated(self) -> NDArray[np.bool_]:
        return np.asarray(self.difference < REPEAT_DIFFERENCE)


@dataclass(frozen=True)
class _Pair:
    """What the comparison of two pictures gave."""

    flow: Halves
    warp_error: Halves
    flow_failure: float
    structure_change: float


@dataclass(frozen=True)
class _Row:
    seconds: float
    step: float
    difference: float
    pair: _Pair
    texture: Halves
    thumb: Floats


NO_PAIR = _Pair(np.zeros((GRID_ROWS, GRID_COLS, 2), np.float16), np.zeros((GRID_ROWS, GRID_COLS), np.float16), 0.0, 0.0)


@dataclass(frozen=True)
class _Look:
    """A picture at the sizes that the comparison needs: whole for shifts, half for what is left, a quarter for flow."""

    gray: Gray
    half: Gray
    quarter: Gray


class Observer:
    """Feeds pictures in order with `add`, then `record()`."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)  # DIS cuts its work by threads: one thread gives the same bytes on every machine
        # This preset computes at a quarter of the size and enlarges: given the quarter, the same flow for a fifth less.
        self._dis: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._dis.setFinestScale(0)
        self._previous: _Look | None = None
        self._previous_seconds = 0.0
        self._rows: list[_Row] = []
        self._colours: list[tuple[float, Floats]] = []
        self._usual_jolt = 1.0
        self._usual_failure = 0.0
        self.stands_out = False

    def add(self, picture: Picture) -> None:
        """Measures one picture against the one before."""
        # A night picture is mostly noise, which DIS would follow: blurred, edges and lamps stay and noise goes.
        gray = np.asarray(cv2.GaussianBlur(picture.gray, (5, 5), BLUR_SIGMA), np.uint8)
        difference, step, pair = 0.0, 0.0, NO_PAIR
        if self._previous is not None:
            difference = float(cv2.norm(gray, self._previous.gray, cv2.NORM_L1)) / gray.size
            step = picture.seconds - self._previous_seconds
        if self._previous is None or difference >= REPEAT_DIFFERENCE:
            look = _look_at(gray)
            if self._previous is not None:
                pair = self._best_pair(self._previous, look)
                self.stands_out = self._departs(pair)
            self._previous, self._previous_seconds = look, picture.seconds
        texture = texture_of(gray).astype(np.float16)
        self._rows.append(_Row(picture.seconds, step, difference, pair, texture, cells(gray)))

    def _departs(self, pair: _Pair) -> bool:
        """True when this pair moves unlike the pair before: only a hint which pictures are worth keeping."""
        before = self._rows[-1].pair.flow
        # Half-precision numbers are slow to reckon with.
        change = pair.flow.astype(np.float32) - before.astype(np.float32)
        ordered = np.sort(change.reshape(-1, 2), axis=0)
        jolt = float(np.abs(ordered[CELLS // 2 - 1] + ordered[CELLS // 2]).sum()) / 2
        unusual = jolt > STANDS_OUT_RATIO * self._usual_jolt or pair.flow_failure > 0.4
        self._usual_jolt += 0.05 * (min(jolt, 4 * self._usual_jolt) - self._usual_jolt) + 0.001
        return unusual

    def add_colour(self, seconds: float, rgb: NDArray[np.uint8]) -> None:
        """Takes a small colour picture (any size) for the colour bars and the view checks."""
        small = cv2.resize(rgb, (THUMB_COLS, THUMB_ROWS), interpolation=cv2.INTER_AREA)
        self._colours.append((seconds, np.asarray(small, np.float32)))

    def _best_pair(self, before: _Look, after: _Look) -> _Pair:
        """The comparison; where flow fails, once more from the shift that phase correlation sees.

        A blow of 4 degrees moves the picture by 25 of 320 pixels between two pictures, more than DIS follows by itself.
        """
        pair = self._compare(before, after, (0, 0))
        # At night noise alone makes flow fail in every picture: only what is worse than usual is worth a second try.
        ordinary = pair.flow_failure < max(RETRY_FLOW_FAILURE, 1.25 * self._usual_failure)
        self._usual_failure += 0.05 * (pair.flow_failure - self._usual_failure)
        if ordinary:
            return pair
        across, down = _whole_shift(before.gray, after.gray)
        if abs(across) + abs(down) < 4:
            return pair
        retried = self._compare(before, after, (across, down))
        return min(pair, retried, key=lambda tried: tried.flow_failure)

    def _compare(self, before: _Look, after: _Look, shift: tuple[int, int]) -> _Pair:
        """Flow between two pictures, and what it leaves unexplained (at half the analysis size, for speed)."""
        if shift != (0, 0):
            after = _look_at(_moved_back(after.gray, shift))
        field = _enlarged(self._dis.calc(before.quarter, after.quarter, None))
        origin = field + PIXEL_POSITIONS
        moved = np.asarray(
            cv2.remap(after.half, origin, ONE_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
        return _Pair(
            flow=(cells(field) * 2.0 + np.array(shift, np.float32)).astype(np.float16),
            warp_error=cells(np.asarray(cv2.absdiff(moved, before.half), np.uint8)).astype(np.float16),
            flow_failure=unexplained_share(moved, before.half),
            structure_change=1.0 - correlation(cells(moved), cells(before.half)),
        )

    def record(self) -> VideoRecord:
        """The whole record; call once at the end, after at least one picture."""
        rows = self._rows
        colours = [colour for _, colour in self._colours]
        return VideoRecord(
            seconds=np.array([row.seconds for row in rows]),
            flow_step=np.array([row.step for row in rows], np.float32),
            flow=np.stack([row.pair.flow for row in rows]),
            texture=np.stack([row.texture for row in rows]),
            warp_error=np.stack([row.pair.warp_error for row in rows]),
            difference=np.array([row.difference for row in rows], np.float32),
            flow_failure=np.array([row.pair.flow_failure for row in rows], np.float32),
            structure_change=np.array([row.pair.structure_change for row in rows], np.float32),
            thumb=np.stack([row.thumb for row in rows]),
            colour=np.stack(colours) if colours else np.zeros((0, THUMB_ROWS, THUMB_COLS, 3), np.float32),
            colour_seconds=np.array([at for at, _ in self._colours]),
        )


def _look_at(gray: Gray) -> _Look:
    """The picture at all three sizes."""
    half = cv2.resize(gray, HALF_SIZE, interpolation=cv2.INTER_AREA)
    quarter = cv2.resize(gray, QUARTER_SIZE, interpolation=cv2.INTER_AREA)
    return _Look(gray, np.asarray(half, np.uint8), np.asarray(quarter, np.uint8))


def _enlarged(quarter_field: Floats) -> Floats:
    """A flow field of the quarter size at the half size and in its pixels."""
    whole = cv2.resize(quarter_field, (ANALYSIS_WIDTH, ANALYSIS_HEIGHT), interpolation=cv2.INTER_LINEAR)
    half = cv2.resize(whole, HALF_SIZE, interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.add(half, half), np.float32)


def _whole_shift(before: Gray, after: Gray) -> tuple[int, int]:
    """By how many pixels the whole picture moved, by phase correlation."""
    (across, down), _ = cv2.phaseCorrelate(before.astype(np.float32), after.astype(np.float32), HANNING)
    return int(np.clip(round(across), -MOST_SHIFT_PX, MOST_SHIFT_PX)), int(
        np.clip(round(down), -MOST_SHIFT_PX, MOST_SHIFT_PX)
    )


def _moved_back(picture: Gray, shift: tuple[int, int]) -> Gray:
    """The picture with a shift undone."""
    move = np.array([[1.0, 0.0, -shift[0]], [0.0, 1.0, -shift[1]]])
    size = (ANALYSIS_WIDTH, ANALYSIS_HEIGHT)
    return np.asarray(cv2.warpAffine(picture, move, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _pixel_positions() -> Floats:
    """x and y of every pixel of the half-size analysis picture."""
    xs, ys = np.meshgrid(np.arange(ANALYSIS_WIDTH // 2), np.arange(ANALYSIS_HEIGHT // 2))
    return np.stack([xs, ys], axis=-1).astype(np.float32)


HALF_SIZE = (ANALYSIS_WIDTH // 2, ANALYSIS_HEIGHT // 2)
QUARTER_SIZE = (ANALYSIS_WIDTH // 4, ANALYSIS_HEIGHT // 4)
PIXEL_POSITIONS = _pixel_positions()
ONE_MAP: Any = None  # in place of a second map: the first holds both axes
HANNING = cv2.createHanningWindow((ANALYSIS_WIDTH, ANALYSIS_HEIGHT), cv2.CV_32F)


def cells(image: NDArray[np.uint8] | Floats) -> Floats:
    """Mean per grid cell."""
    wide = image if image.dtype == np.float32 else image.astype(np.float32)
    return np.asarray(cv2.resize(wide, (GRID_COLS, GRID_ROWS), interpolation=cv2.INTER_AREA), np.float32)


def texture_of(gray: Gray) -> Floats:
    """Mean grey step between neighbours per cell: where it is near zero, flow is a guess."""
    across = cv2.absdiff(gray[:-1, 1:], gray[:-1, :-1])
    down = cv2.absdiff(gray[1:, :-1], gray[:-1, :-1])
    return cells(np.asarray(cv2.add(across, down), np.uint8))


def unexplained_share(one: Gray, other: Gray) -> float:
    """How much of the fine structure differs: 0 the same, about 0.7 unrelated; blind to slow shadows and exposure."""
    fine_one = cv2.subtract(one, cv2.blur(one, (9, 9)), dtype=cv2.CV_16S)
    fine_other = cv2.subtract(other, cv2.blur(other, (9, 9)), dtype=cv2.CV_16S)
    whole = float(cv2.norm(fine_one, cv2.NORM_L1) + cv2.norm(fine_other, cv2.NORM_L1))
    # One grey level per pixel on both sides: below that there is only noise to compare.
    return float(cv2.norm(fine_one, fine_other, cv2.NORM_L1)) / max(whole, 2.0 * one.size)


def correlation(one: Floats, other: Floats) -> float:
    """Correlation of two small pictures, 1 when both are flat."""
    left, right = one - one.mean(), other - other.mean()
    size = float(np.sqrt((left * left).sum() * (right * right).sum()))
    return float((left * right).sum()) / size if size > 1.0 else 1.0
