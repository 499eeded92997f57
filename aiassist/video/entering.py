"""What moves towards the middle of the view from one side: a vehicle that pulls in, crosses, or drives off ahead.

Seen from a camera that drives, standing scenery flows outwards. A cell beside the middle whose own flow (after the
camera's rotation is taken out) runs inwards belongs to something that moves sideways or away.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.video.motion import HORIZON_PX, cell_positions, pictures_in, road_basis, road_weight
from aiassist.video.observe import GRID_COLS, GRID_ROWS, VideoRecord
from aiassist.video.robust import Array, fit_fields
from aiassist.video.trust import Floats, noise_texture, trust_of

# Where vehicles beside and ahead of the own lane appear: pixels of 320 from the centre and from the horizon.
NEAREST_PX, FARTHEST_PX = 10.0, 140.0
ABOVE_PX, BELOW_PX = -25.0, 45.0
LEAST_TRUST = 0.2
# A vehicle that pulls in over two seconds at 12 m moves inwards by 20 px/s; scenery errs by less than this.
INWARD_PX_PER_SECOND = 8.0
# Nothing pulls in and nothing crosses in less pictures than this.
MIN_PICTURES = 5
AVERAGED_SECONDS = 0.35
# A vehicle at 15 m covers this many cells.
MIN_CELLS = 4


@dataclass(frozen=True)
class Entering:
    """Something that came in from a side within a time window.

    `cells` is its largest size there (cells of 10 x 10 px of 320 x 180), `speed_px` its median inward speed then (px/s),
    `side` -1 from the left and 1 from the right, `seconds` how long it was seen to come.
    """

    cells: float
    speed_px: float
    side: int
    seconds: float


NOTHING_ENTERS = Entering(0.0, 0.0, 0, 0.0)


def entering_between(record: VideoRecord, start: float, end: float) -> Entering:
    """Measures what enters between two times; the stronger side counts."""
    chosen = np.flatnonzero((record.seconds >= start) & (record.seconds <= end) & ~record.repeated)
    chosen = chosen[chosen > 0]
    if chosen.size < MIN_PICTURES:
        return NOTHING_ENTERS
    seconds = record.seconds[chosen]
    inward = _averaged(*_inward_speed(record, chosen), pictures_in(seconds, AVERAGED_SECONDS))
    x, y = cell_positions()
    under = y - HORIZON_PX
    band = (np.abs(x) > NEAREST_PX) & (np.abs(x) < FARTHEST_PX) & (under > ABOVE_PX) & (under < BELOW_PX)
    sides = [_from_side(inward[:, band & (np.sign(x) == side)], side, seconds) for side in (-1, 1)]
    return max(sides, key=lambda found: (found.cells * found.seconds, -found.side))


def _inward_speed(record: VideoRecord, chosen: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Speed towards the middle per picture and cell (px/s), and how far it is believed (0-1)."""
    x, _ = cell_positions()
    flow = record.flow[chosen].reshape(chosen.size, -1, 2).astype(np.float32)
    trust = trust_of(record.texture[chosen].reshape(chosen.size, -1), noise_texture(record))
    basis = road_basis()
    fitted, _ = fit_fields(flow, trust * road_weight().astype(np.float32), basis)
    turned = (fitted[:, :3] @ basis[:, 0, :3].T).astype(np.float32)
    step = np.maximum(record.flow_step[chosen], np.float32(1e-3))[:, None]
    return np.asarray(-np.sign(x) * (flow[..., 0] - turned) / step, np.float32), trust


def _averaged(inward: Floats, trust: Floats, width: int) -> Array:
    """The mean over a short time and over neighbouring cells, 0 where too little of it is believed."""
    shape = (inward.shape[0], GRID_ROWS, GRID_COLS)
    weighted, weight = (
        np.stack([cv2.blur(layer, (3, 3)) for layer in part.reshape(shape)]) for part in (inward * trust, trust)
    )
    kernel = np.ones(width) / width
    weighted, weight = (
        np.apply_along_axis(np.convolve, 0, part.reshape(inward.shape[0], -1), kernel, mode="same")
        for part in (weighted, weight)
    )
    return np.asarray(np.where(weight >= LEAST_TRUST, weighted / np.maximum(weight, 1e-6), 0.0))


def _from_side(inward: Array, side: int, seconds: Array) -> Entering:
    moving = inward > INWARD_PX_PER_SECOND
    count = moving.sum(axis=1)
    strongest = int(np.argmax(count))
    if not count[strongest]:
        return NOTHING_ENTERS
    seen = count >= max(MIN_CELLS, 0.4 * count[strongest])
    speeds = inward[seen][moving[seen]]
    speed = float(np.median(speeds)) if speeds.size else 0.0
    return Entering(float(count[strongest]), speed, side, float(seen.sum()) * float(np.median(np.diff(seconds))))
