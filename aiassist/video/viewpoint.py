"""Is this the view of a camera in a vehicle? Answered from motion and light, with the values that say so.

Three facts, in this order. (1) A camera that drives sees the world flow away from one point, left and right of it.
(2) A camera that turns for most of a clip and never drives is held in a hand. (3) A camera that stands still in
daylight inside a vehicle has the bright sky above the dark road; one that looks down on a road has not, and vehicles
enter at its upper edge.

Measured on ten real clips, half-second windows, share of textured cells flowing outwards on the weaker side: driving
0.35–0.96 (creeping at 5 km/h 0.26–0.50), overhead camera mean 0.14 (single windows with a car 0.73), handheld up to
0.16, CCTV up to 0.29. Brightness of the upper third over the lower third: stationary dashcams 1.6–2.3 (rendered,
between houses: from 1.2), CCTV 0.67, overhead 1.15.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.types import IntegrityCode, IntegrityFlag
from aiassist.video.motion import (
    HORIZON_PX,
    ROAD_BOTTOM_PX,
    cell_positions,
    road_basis,
    road_weight,
)
from aiassist.video.observe import GRID_ROWS, VideoRecord
from aiassist.video.robust import Array, fit_fields
from aiassist.video.trust import Floats, noise_texture, trust_of

WINDOW_SECONDS = 0.5
MOVING_PX = 0.6
OUTWARD_COSINE = 0.75
CENTRE_PX = 20.0
DRIVING_SUPPORT = 0.45
# One window may be a vehicle that passes close by: 0.66 with a parked camera, 0.73 from above.
MIN_DRIVING_WINDOWS, DRIVING_SHARE = 2, 0.2
STEADY_SUPPORT = 0.33
PAN_PX = 1.0
PAN_SHARE = 0.6
PAN_LEFT_OVER = 0.5
DAYLIGHT_LUMA = 55.0
ROAD_OVER_SKY = 1.18
TOP_EDGE_SHARE = 0.25
MIN_BLOBS = 20
MIN_BLOB_TRUST = 0.3


@dataclass(frozen=True)
class View:
    """What speaks for and against a view from a vehicle; `driving` and `pan` per half-second window."""

    drives: bool
    window_seconds: Array
    driving: Array
    pan: NDArray[np.bool_]
    sky_over_road: float
    mean_luma: float
    top_edge_share: float
    moving_blobs: int


def view_of(record: VideoRecord, excluded: NDArray[np.bool_]) -> View:
    """Measures the view; `excluded` marks pairs across cuts."""
    starts, flow, texture = _summed_windows(record, excluded)
    driving, pan = _window_shares(flow, trust_of(texture, noise_texture(record)))
    rows = np.median(record.thumb, axis=0).mean(axis=1)
    third = GRID_ROWS // 3
    drives = _drives(driving)
    # A clip that drives needs no second look at what moves in it.
    top_edge, blobs = (0.0, 0) if drives else _blobs_at_top_edge(record, excluded)
    return View(
        drives=drives,
        window_seconds=starts,
        driving=driving,
        pan=pan,
        sky_over_road=float(rows[:third].mean() / max(rows[-third:].mean(), 1.0)),
        mean_luma=float(rows.mean()),
        top_edge_share=top_edge,
        moving_blobs=blobs,
    )


def _drives(driving: Array) -> bool:
    """True when enough windows show the flow of driving beyond doubt, or the clip shows it on average."""
    if not driving.size:
        return False
    sure = int((driving >= DRIVING_SUPPORT).sum())
    return sure >= max(MIN_DRIVING_WINDOWS, DRIVING_SHARE * driving.size) or float(driving.mean()) >= STEADY_SUPPORT


def not_dashcam_flag(view: View) -> IntegrityFlag | None:
    """A flag with the value that decided, or None when nothing speaks against a view from a vehicle."""
    if view.drives or not view.driving.size:
        return None
    pan_share = float(view.pan.mean())
    if pan_share >= PAN_SHARE:
        return _flag("The camera turns for most of the clip and never drives.", pan_share, PAN_SHARE)
    if view.moving_blobs >= MIN_BLOBS and view.top_edge_share >= TOP_EDGE_SHARE:
        detail = "The camera never drives and what moves enters at the upper edge: a view from above."
        return _flag(detail, view.top_edge_share, TOP_EDGE_SHARE)
    road_over_sky = 1.0 / max(view.sky_over_road, 0.01)
    if view.mean_luma >= DAYLIGHT_LUMA and road_over_sky > ROAD_OVER_SKY:
        detail = "The camera never drives and by daylight there is no bright sky above the road."
        return _flag(detail, road_over_sky, ROAD_OVER_SKY)
    return None


def _flag(detail: str, value: float, threshold: float) -> IntegrityFlag:
    return IntegrityFlag(IntegrityCode.NOT_DASHCAM, detail, round(value, 3), threshold)


def _summed_windows(record: VideoRecord, excluded: NDArray[np.bool_]) -> tuple[Array, Array, Floats]:
    """Flow added up over windows of half a second that cross no cut, and the texture below it."""
    starts, flows, textures = [], [], []
    first = 0
    while first < record.count - 1:
        last = min(int(np.searchsorted(record.seconds, record.seconds[first] + WINDOW_SECONDS)), record.count - 1)
        broken = np.flatnonzero(excluded[first + 1 : last + 1])
        if broken.size:
            first += 1 + int(broken[0])
            continue
        if record.seconds[last] - record.seconds[first] < 0.8 * WINDOW_SECONDS:
            break
        pairs = slice(first + 1, last + 1)
        starts.append(float(record.seconds[first]))
        flows.append(record.flow[pairs].astype(np.float64).sum(axis=0).reshape(-1, 2))
        textures.append(np.median(record.texture[pairs].astype(np.float32), axis=0).reshape(-1))
        first = last
    cells = record.flow.shape[1] * record.flow.shape[2]
    return (
        np.array(starts),
        np.array(flows).reshape(-1, cells, 2),
        np.array(textures, np.float32).reshape(-1, cells),
    )


def _window_shares(flow: Array, weight: Floats) -> tuple[Array, NDArray[np.bool_]]:
    """Per window: share of outward (or inward: a rear camera) flow on its weaker side, and whether it is a mere pan."""
    if not flow.shape[0]:
        return np.zeros(0), np.zeros(0, bool)
    basis = road_basis()
    fitted, _ = fit_fields(flow, weight * road_weight(), basis)
    own = flow - np.einsum("np,kcp->nkc", fitted[:, :3], basis[:, :, :3])
    x, y = cell_positions()
    outward = np.stack([x, y - HORIZON_PX], axis=1)
    distance = np.linalg.norm(outward, axis=1)
    length = np.linalg.norm(own, axis=2)
    cosine = (own * outward).sum(axis=2) / np.maximum(length * distance, 1e-6)
    weight = weight * ((distance > CENTRE_PX) & (y < ROAD_BOTTOM_PX))
    moving = length > MOVING_PX
    shares = [
        np.minimum(_share(weight * (x < 0), moving & direction), _share(weight * (x > 0), moving & direction))
        for direction in (cosine > OUTWARD_COSINE, cosine < -OUTWARD_COSINE)
    ]
    shifted = np.hypot(fitted[:, 0], fitted[:, 1])
    pan = (shifted > PAN_PX) & (_share(weight, moving) < PAN_LEFT_OVER)
    return np.maximum(*shares), pan


def _share(weight: Array | Floats, chosen: NDArray[np.bool_]) -> Array:
    return np.asarray((weight * chosen).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-6))


def _blobs_at_top_edge(record: VideoRecord, excluded: NDArray[np.bool_]) -> tuple[float, int]:
    """Share of moving regions that touch the upper edge, and how many regions moved at all."""
    touching = total = 0
    noise = noise_texture(record)
    for index in np.flatnonzero(~record.repeated & ~excluded)[1:]:
        flow = record.flow[index].astype(np.float32)
        background = np.median(flow.reshape(-1, 2), axis=0)
        believed = trust_of(record.texture[index], noise) > MIN_BLOB_TRUST
        moving = ((np.linalg.norm(flow - background, axis=2) > MOVING_PX) & believed).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(moving, connectivity=4)
        for label in range(1, count):
            if stats[label, cv2.CC_STAT_AREA] >= 5:
                total += 1
                touching += int(stats[label, cv2.CC_STAT_TOP] == 0)
    return (touching / total if total else 0.0), total
