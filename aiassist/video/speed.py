"""A proxy of the own vehicle's speed from how fast the scenery flows outwards, relative to the same clip.

Every cell looks at scenery of its own usual distance, so its outward flow is compared with its own usual outward
flow; the median over the cells is the speed relative to the clip's usual driving speed (1). Metres per second are not
known: the camera's height and lens are not. On rendered drives the correlation with the true speed is 0.8–0.96 where
the speed changes by more than half; scenery that comes and goes makes it waver by a third at constant speed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.video.motion import (
    HALF_WIDTH_PX,
    HORIZON_PX,
    ROAD_BOTTOM_PX,
    CameraMotion,
    cell_positions,
    pictures_in,
    road_basis,
    road_weight,
)
from aiassist.video.observe import VideoRecord
from aiassist.video.robust import BATCH, Array, fit_fields, smooth
from aiassist.video.trust import noise_texture, trust_of

USUAL_PERCENTILE = 70.0
# Cells whose usual outward flow is slower than this (px/s of 320) do not see the drive.
LEAST_USUAL_FLOW = 6.0
LEAST_TRUST = 0.25
LEAST_SEEN_SHARE = 0.3
# Fewer cells than this are a passing vehicle in front of a parked camera, not scenery.
LEAST_CELLS = 40
CENTRE_PX = 20.0
SKY_PX = -60.0
MOST_SPEED = 6.0
SMOOTH_SECONDS = 0.35


@dataclass(frozen=True)
class Speed:
    """`relative` speed per picture (1 = the clip's usual driving), smoothed; `cells` carried it (0: unknown, all zero).

    `ground` is the flow of the road (1/s), proportional to metres per second over camera height: comparable between
    clips of one camera, but too low on smooth asphalt and at night.
    """

    relative: Array
    ground: Array
    cells: int

    @property
    def known(self) -> bool:
        return self.cells >= LEAST_CELLS


def speed_of(record: VideoRecord, motion: CameraMotion) -> Speed:
    """Measures the proxy for every picture."""
    outward, ground = _outward_flow(record)
    step = np.maximum(record.flow_step, np.float32(1e-3))
    outward[~motion.usable] = np.nan
    outward /= step[:, None]
    seen = np.isfinite(outward).mean(axis=0) >= LEAST_SEEN_SHARE
    usual = np.zeros(outward.shape[1], np.float32)
    if seen.any():
        usual[seen] = np.nanpercentile(outward[:, seen], USUAL_PERCENTILE, axis=0)
    chosen = seen & (usual > LEAST_USUAL_FLOW)
    width = pictures_in(motion.seconds, SMOOTH_SECONDS)
    ground = smooth(_filled(np.where(motion.usable, ground / step, np.nan)), width)
    if int(chosen.sum()) < LEAST_CELLS:
        return Speed(np.zeros(record.count), ground, int(chosen.sum()))
    relative = _median_of_rows(outward[:, chosen] / usual[chosen])
    return Speed(np.clip(smooth(_filled(relative), width), -MOST_SPEED, MOST_SPEED), ground, int(chosen.sum()))


def _outward_flow(record: VideoRecord) -> tuple[NDArray[np.float32], Array]:
    """Flow away from the vanishing point per cell after the camera's rotation is taken out, NaN where not believed.

    Also returns the factor of the flat road's flow.
    """
    x, y = cell_positions()
    basis = road_basis()
    direction = np.stack([x, y - HORIZON_PX], axis=1)
    distance = np.linalg.norm(direction, axis=1)
    direction = (direction / np.maximum(distance, 1.0)[:, None]).astype(np.float32)
    useful = (distance > CENTRE_PX) & (y < ROAD_BOTTOM_PX) & (y > SKY_PX)
    noise = noise_texture(record)
    outward = np.full((record.count, x.size), np.nan, np.float32)
    ground = np.zeros(record.count)
    for at in range(0, record.count, BATCH):
        part = slice(at, at + BATCH)
        flow = record.flow[part].reshape(-1, x.size, 2).astype(np.float32)
        trust = trust_of(record.texture[part].reshape(-1, x.size), noise)
        fitted, _ = fit_fields(flow, trust * road_weight().astype(np.float32), basis)
        turned = np.einsum("np,kcp->nkc", fitted[:, :3], basis[:, :, :3], optimize=True).astype(np.float32)
        radial = ((flow - turned) * direction).sum(axis=2)
        outward[part] = np.where((trust >= LEAST_TRUST) & useful, radial, np.nan)
        ground[part] = fitted[:, 3] / HALF_WIDTH_PX
    return outward, ground


def _median_of_rows(values: NDArray[np.float32]) -> Array:
    """Median per row over the believed cells; NaN for rows with fewer than eight."""
    enough = np.isfinite(values).sum(axis=1) >= 8
    medians = np.full(values.shape[0], np.nan)
    medians[enough] = np.nanmedian(values[enough], axis=1)
    return medians


def _filled(values: Array) -> Array:
    """Gaps filled with the last known value (0 before the first)."""
    index = np.maximum.accumulate(np.where(np.isfinite(values), np.arange(values.size), -1))
    return np.where(index >= 0, values[np.maximum(index, 0)], 0.0)
