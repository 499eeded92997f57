"""How the camera moved: shift, roll, scale and jolt, per picture.

A jolt is fitted to the *change* of flow between two picture pairs: what the drive itself moves changes slowly
whatever its depth, what a blow moves changes at once, and all of the picture together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.video.observe import CELL_PX, GRID_COLS, GRID_ROWS, VideoRecord
from aiassist.video.robust import BATCH, Array, fit_fields, robust_z
from aiassist.video.trust import noise_texture, trust_of

HALF_WIDTH_PX = GRID_COLS * CELL_PX / 2
HALF_HEIGHT_PX = GRID_ROWS * CELL_PX / 2
# The usual mounting looks along the road: the horizon lies a little above the middle of the picture (rows above are
# negative). Ten pixels of error change the speed proxy by a constant factor only.
HORIZON_PX = -5.0
# The lowest rows show the bonnet or the dashboard, which do not move with the road.
ROAD_BOTTOM_PX = 60.0
# A jolt is a movement of the whole picture; less than this many pixels (of 320) is flow noise.
JOLT_FLOOR_PX = 0.08
SHAKE_FLOOR_PX = 0.04
SHAKE_ERROR_SHARE = 0.25
SHAKE_SECONDS = 0.4
# Steering, bends and passing vehicles move the picture sideways, a blow from any side makes the camera nod: measured
# on rendered and real drives the nod stands out twice as clearly.
SIDE_WEIGHT = 0.5
# DIS smooths over patches: neighbouring cells err together.
CELLS_PER_INDEPENDENT = 9.0


@dataclass(frozen=True)
class CameraMotion:
    """Per picture arrays; pixels are of 320 across, speeds per second.

    `jolt_px` is the displacement by which the picture departed from its smooth motion, `jolt_x/y/roll/scale` its parts,
    less what the fit may err. `shake` is their strength over the next 0.4 s without the two largest values: a blow
    rings on, a glitch does not. `shake_z` is its robust z over the clip. `expansion` is the growth of the whole
    picture (1/s); see `speed` for a proxy of the vehicle's speed.
    """

    seconds: NDArray[np.float64]
    shift_x: Array
    shift_y: Array
    roll: Array
    expansion: Array
    residual: Array
    jolt_px: Array
    jolt_x: Array
    jolt_y: Array
    jolt_roll: Array
    jolt_scale: Array
    jolt_z: Array
    shake: Array
    shake_z: Array
    usable: NDArray[np.bool_]


def cell_positions() -> tuple[Array, Array]:
    """x (right) and y (down) of each cell's centre, in analysis pixels from the picture's centre."""
    xs = (np.arange(GRID_COLS) + 0.5) * CELL_PX - HALF_WIDTH_PX
    ys = (np.arange(GRID_ROWS) + 0.5) * CELL_PX - HALF_HEIGHT_PX
    across, down = np.meshgrid(xs, ys)
    return across.ravel(), down.ravel()


def similarity_basis() -> Array:
    """Columns: shift x, shift y, scale, roll; the last two in pixels at half the picture's width."""
    x, y = cell_positions()
    basis = np.zeros((x.size, 2, 4))
    basis[:, 0, 0] = 1.0
    basis[:, 1, 1] = 1.0
    basis[:, 0, 2], basis[:, 1, 2] = x / HALF_WIDTH_PX, y / HALF_WIDTH_PX
    basis[:, 0, 3], basis[:, 1, 3] = -y / HALF_WIDTH_PX, x / HALF_WIDTH_PX
    return basis


def road_basis() -> Array:
    """Columns: shift x, shift y, roll, and the flow of a flat road that the camera drives along.

    A point of the road y pixels under the horizon moves by v/(f h) * y * (x, y): the last column without the factor.
    """
    x, y = cell_positions()
    under = np.maximum(y - HORIZON_PX, 0.0)
    basis = np.zeros((x.size, 2, 4))
    basis[:, 0, 0] = 1.0
    basis[:, 1, 1] = 1.0
    basis[:, 0, 2], basis[:, 1, 2] = -y / HALF_WIDTH_PX, x / HALF_WIDTH_PX
    basis[:, 0, 3], basis[:, 1, 3] = x * under / HALF_WIDTH_PX**2, under**2 / HALF_WIDTH_PX**2
    return basis


def road_weight() -> Array:
    """Weight of each cell in the road fit: what stands above the horizon only steadies the rotation."""
    _, y = cell_positions()
    return np.where(y <= HORIZON_PX, 0.15, np.where(y < ROAD_BOTTOM_PX, 1.0, 0.0))


def camera_motion(record: VideoRecord, excluded: NDArray[np.bool_]) -> CameraMotion:
    """Fits the camera's motion to every picture pair; `excluded` marks pairs across a cut, which are no motion."""
    flow = record.flow.reshape(record.count, -1, 2)
    trust = trust_of(record.texture.reshape(record.count, -1), noise_texture(record))
    measured = ~record.repeated & ~excluded
    measured[0] = False
    earlier = _earlier_pair(measured, excluded)
    comparable = earlier >= 0
    similarity, residual, _ = _fit_all(flow, None, trust)
    jolt, _, error = _fit_all(flow, earlier, trust)
    jolt = jolt * (comparable / 1.0)[:, None]
    step = np.maximum(record.flow_step.astype(np.float64), 1e-3)
    across, down, turned = jolt[:, 0], jolt[:, 1], jolt[:, 3]
    size = np.maximum(np.sqrt(across**2 + down**2 + turned**2) - error, 0.0) * comparable
    weighted = np.sqrt(down**2 + SIDE_WEIGHT**2 * (across**2 + turned**2))
    shake = _shake(np.maximum(weighted - error, 0.0) * comparable, record.seconds)
    return CameraMotion(
        seconds=record.seconds,
        shift_x=_held(similarity[:, 0] / step, measured),
        shift_y=_held(similarity[:, 1] / step, measured),
        roll=_held(similarity[:, 3] / HALF_WIDTH_PX / step, measured),
        expansion=_held(similarity[:, 2] / HALF_WIDTH_PX / step, measured),
        residual=residual * measured,
        jolt_px=size,
        jolt_x=across,
        jolt_y=down,
        jolt_roll=turned,
        jolt_scale=jolt[:, 2],
        jolt_z=np.where(comparable, robust_z(size, floor=JOLT_FLOOR_PX, reference=comparable), 0.0),
        shake=shake,
        shake_z=robust_z(shake, floor=_shake_floor(error, comparable), reference=comparable),
        usable=measured,
    )


def _shake_floor(error: Array, comparable: NDArray[np.bool_]) -> float:
    """The smallest spread of the shake believed: grows with what the fits err (night, spray, few cells)."""
    usual = float(np.percentile(error[comparable], 95)) if comparable.any() else 0.0
    return SHAKE_FLOOR_PX + SHAKE_ERROR_SHARE * usual


def _shake(jolt: Array, seconds: NDArray[np.float64]) -> Array:
    """Root mean square of the jolts over the next 0.4 s, all capped at the third largest of them."""
    if jolt.size < 5:
        return np.zeros_like(jolt)
    width = max(3, round(SHAKE_SECONDS / max(float(np.median(np.diff(seconds))), 1e-3)))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(jolt, (0, width - 1)), width)
    cap = np.sort(windows, axis=1)[:, -(3 if width >= 6 else 2)][:, None]
    return np.asarray(np.sqrt(np.square(np.minimum(windows, cap)).mean(axis=1)))


def _earlier_pair(measured: NDArray[np.bool_], excluded: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each measured pair the measured pair before it, at most three pictures back and not beyond a cut; else -1."""
    earlier = np.full(measured.size, -1, np.int64)
    last = -1
    for index in range(measured.size):
        if excluded[index]:
            last = -1
        if measured[index]:
            if last >= 0 and index - last <= 3:
                earlier[index] = last
            last = index
    return earlier


def _fit_all(
    flow: NDArray[np.float16], earlier: NDArray[np.int64] | None, trust: NDArray[np.float32]
) -> tuple[Array, Array, Array]:
    """Fits a similarity to the flow (or, with `earlier`, to its change) in batches, so that long clips stay small.

    Returns the parameters, the mean length left per picture, and the standard error of a shift.
    """
    parts = []
    basis = similarity_basis()
    for at in range(0, flow.shape[0], BATCH):
        part = slice(at, at + BATCH)
        field = flow[part].astype(np.float32)
        if earlier is not None:
            field = np.where(earlier[part, None, None] >= 0, field - flow[np.maximum(earlier[part], 0)], np.float32(0))
        fitted, left = fit_fields(field, trust[part], basis, from_median=earlier is not None)
        weight = trust[part].astype(np.float64)
        total = np.maximum(weight.sum(axis=1), 1e-6)
        mean_left = (left * weight).sum(axis=1) / total
        independent = total**2 / np.maximum(np.square(weight).sum(axis=1), 1e-6) / CELLS_PER_INDEPENDENT
        # Half of the cells are outliers at worst; the median of the others says how well they agree.
        agreed = np.sqrt((np.square(np.minimum(left, 2 * mean_left[:, None])) * weight).sum(axis=1) / total)
        parts.append((fitted, mean_left, agreed / np.sqrt(np.maximum(independent, 1.0))))
    return (
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _held(values: Array, measured: NDArray[np.bool_]) -> Array:
    """Values where they were measured, the last measured one in between (repeated pictures and cuts)."""
    if not measured.any():
        return np.zeros_like(values)
    index = np.where(measured, np.arange(values.size), -1)
    index = np.maximum.accumulate(index)
    index[index < 0] = int(np.argmax(measured))
    return np.asarray(values[index])


def pictures_in(seconds: NDArray[np.float64], window_seconds: float) -> int:
    """How many pictures a time window holds, at least 3 and odd."""
    if seconds.size < 2:
        return 3
    step = float(np.median(np.diff(seconds)))
    return max(3, int(window_seconds / max(step, 1e-3)) | 1)
