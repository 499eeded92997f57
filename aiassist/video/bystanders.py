"""Crashes between others: something in the scene changes its motion at once while the own vehicle stays calm.

Two ways to notice one. Seen: in front of a (nearly) standing camera a moving region's own flow, followed along its
path, jumps. Heard: a bang without any shake of the own vehicle, and the driver brakes hard right after.

From a camera that creeps or turns, the strongest such jump is evidence and no more: what the flow leaves of standing
things that are passed jumps as high as a crash does.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.types import EvidenceStage, HazardKind
from aiassist.video.audio import Sound
from aiassist.video.events import Event, score_from
from aiassist.video.heard import bang_strength, high_rise
from aiassist.video.motion import CameraMotion, similarity_basis
from aiassist.video.observe import CELL_PX, GRID_COLS, GRID_ROWS, VideoRecord
from aiassist.video.robust import Array, fit_fields, runs
from aiassist.video.speed import Speed
from aiassist.video.trust import noise_texture, trust_of
from aiassist.video.viewpoint import DRIVING_SUPPORT, View

# The own vehicle stands or creeps: half of the trusted scenery moves less than this per picture (px of 320).
CALM_FLOW_PX = 0.12
CALM_SHAKE_Z = 1.5
# Creeping and turning at a crossing: up to here something other than the own motion can be told apart at all.
SLOW_FLOW_PX = 0.6
CALM_SPEED = 0.3
CALM_REACH_SECONDS = 0.5
# Flow is averaged over this time before and after a moment; a collision is over in 0.15 s.
SPAN_SECONDS = 0.2
# A vehicle that has just stopped still rocks: only after this time of calm a jump is believed.
SETTLED_SECONDS = 1.0
MOVING_PX = 0.4
# Jump of a region's flow in px/s over the clip's usual jumps there. Two scooters that collide before a standing camera
# 6.3; vehicles that pass, cross or pull in reach 2.7.
JUMP_Z = 4.0
JUMP_FLOOR_PX = 12.0
# From a slow camera vehicles that pass while the own one stops or sets off reach 8.0 on 120 rendered training clips
# and 9.8 on an edited real drive; a scooter that hits a turning lorry ahead only 1.7. So there it never tells a crash.
SLOW_JUMP_Z = 10.0
MIN_PICTURES = 3
REACH_CELLS = 2
# What enters at the edge of the picture, at the bonnet or in the sky is no collision.
ROWS, COLUMNS = slice(6, 15), slice(2, -2)
# Rendered crashes ahead are heard at 0.6-1.6; what else makes no shake (a screech, a horn) stays below 0.6.
BANG_THRESHOLD = 0.75
# Metal and glass fill the high bands: 0.66-1.3 decades in rendered crashes ahead, 0.14-0.31 in bangs of a calm drive.
HISS_DECADES = 0.6
# One clear jolt is enough to doubt that the crash was somebody else's: a touch of 3 km/h gives 8 to 12.
CALM_JOLT_Z = 5.0
# A screech behind is followed by a blow of the own vehicle; the driver's own braking shakes less.
STRUCK_AFTER_SECONDS, STRUCK_SHAKE_Z = 2.0, 4.0
BRAKE_BEFORE_SECONDS, BRAKE_AFTER_SECONDS = 0.5, 2.5
# Whoever sees a crash ahead slows down: the scenery grows by less than this share of its growth before (1/s).
SLOWED_SHARE, LEAST_GROWTH = 0.85, 0.15
GROWTH_BEFORE_SECONDS, GROWTH_AFTER_SECONDS, LAST_SECONDS = 1.0, (1.2, 3.0), 0.4

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Jumps:
    """Per picture: the strongest jump of any region's motion (z) and the cell where it was."""

    z: Array
    cell: NDArray[np.int64]


@dataclass(frozen=True)
class Pace:
    """How many pictures a collision takes, and how many of calm must come before it."""

    span: int
    settled: int


def jumps_of(
    record: VideoRecord, motion: CameraMotion, view: View, speed: Speed, excluded: NDArray[np.bool_]
) -> tuple[Jumps, Jumps]:
    """Follows moving regions over the pictures in which the own vehicle is calm, and over those in which it is slow."""
    quiet = Jumps(np.zeros(record.count), np.zeros(record.count, np.int64))
    if record.count <= 8:
        return quiet, quiet
    flow = record.flow.astype(np.float32).reshape(record.count, -1, 2)
    usual = np.median(np.linalg.norm(flow, axis=2), axis=1)
    steady = motion.shake_z < CALM_SHAKE_Z
    calm = (usual < CALM_FLOW_PX) & steady & ~_driving(record.seconds, view)
    if view.drives and speed.known:
        calm &= speed.relative < CALM_SPEED
    slow = (usual < SLOW_FLOW_PX) & steady & ~excluded
    step = max(float(np.median(np.diff(record.seconds))), 1e-3)
    span = max(2, round(SPAN_SECONDS / step))
    pace = Pace(span, max(span, round(SETTLED_SECONDS / step)))
    told = [_settled(mask, pace) for mask in (calm, slow)]
    if not (told[0] | told[1]).any():
        return quiet, quiet
    field = _field(_own_motion(record, flow), told[0] | told[1], pace)
    rate = 1.0 / max(float(np.median(record.flow_step[1:])), 1e-3)
    found = [
        _strongest(np.where(settled[:, None, None], field, np.float32(0)), mask, rate) if mask.any() else quiet
        for settled, mask in zip(told, (calm, slow), strict=True)
    ]
    return found[0], found[1]


def _settled(mask: NDArray[np.bool_], pace: Pace) -> NDArray[np.bool_]:
    """Pictures around which the camera has been so for long enough before, and stays so until the jump is over."""
    settled = np.zeros_like(mask)
    for index in range(pace.settled + 1, mask.size - pace.span):
        settled[index] = mask[index - pace.settled : index + pace.span].all()
    return settled


def _field(own: Floats, wanted: NDArray[np.bool_], pace: Pace) -> Floats:
    """Change of motion per cell at the wanted pictures, 0 elsewhere."""
    field = np.zeros(own.shape[:3], np.float32)
    sums = np.concatenate([np.zeros((1, *own.shape[1:]), np.float32), np.cumsum(own, axis=0)])
    for index in np.flatnonzero(wanted):
        before = (sums[index] - sums[index - pace.span]) / pace.span
        after = (sums[index + pace.span] - sums[index]) / pace.span
        field[index] = _jump(before, after, pace.span)
    return field


def _strongest(field: Floats, reference: NDArray[np.bool_], rate: float) -> Jumps:
    """The strongest jump of each reference picture over the usual jumps in the same cell."""
    usual = np.median(field[reference], axis=0)
    spread = 1.4826 * np.median(np.abs(field[reference] - usual), axis=0)
    z = rate * (field - cv2.blur(usual, (3, 3))) / (rate * cv2.blur(spread, (3, 3)) + JUMP_FLOOR_PX)
    z = np.stack([cv2.blur(layer, (2, 2)) for layer in z]).astype(np.float64)
    masked = np.zeros_like(z)
    masked[:, ROWS, COLUMNS] = z[:, ROWS, COLUMNS]
    flat = np.where(reference[:, None], masked.reshape(field.shape[0], -1), 0.0)
    return Jumps(flat.max(axis=1), flat.argmax(axis=1))


def _own_motion(record: VideoRecord, flow: Floats) -> Floats:
    """Flow of each cell beyond the camera's."""
    trust = trust_of(record.texture.reshape(record.count, -1), noise_texture(record))
    basis = similarity_basis()
    fitted, _ = fit_fields(flow, trust, basis, from_median=True)
    camera = np.einsum("np,kcp->nkc", fitted, basis, optimize=True).astype(np.float32)
    return np.asarray(((flow - camera) * trust[..., None]).reshape(record.count, GRID_ROWS, GRID_COLS, 2))


def _driving(seconds: Array, view: View) -> NDArray[np.bool_]:
    """Pictures in half-second windows that show the flow of driving."""
    if not view.window_seconds.size:
        return np.zeros(seconds.size, bool)
    window = np.clip(np.searchsorted(view.window_seconds, seconds, side="right") - 1, 0, view.driving.size - 1)
    return np.asarray(view.driving[window] >= DRIVING_SUPPORT)


def _jump(before: Floats, after: Floats, span: int) -> Floats:
    """Change of motion per cell, where the cell moved before; the later flow is read where the region has gone.

    What drives on behind something else, or faster than expected, still moves alike somewhere near: the best match
    within two cells counts. What has collided moves alike nowhere.
    """
    before = np.asarray(cv2.blur(before, (3, 3)), np.float32)
    wide = np.pad(cv2.blur(after, (3, 3)), ((REACH_CELLS, REACH_CELLS), (REACH_CELLS, REACH_CELLS), (0, 0)))
    from_x = np.ascontiguousarray(COLUMN_OF_CELL + before[..., 0] * (span / CELL_PX) + REACH_CELLS, np.float32)
    from_y = np.ascontiguousarray(ROW_OF_CELL + before[..., 1] * (span / CELL_PX) + REACH_CELLS, np.float32)
    change = np.full((GRID_ROWS, GRID_COLS), np.inf, np.float32)
    for down in range(-REACH_CELLS, REACH_CELLS + 1):
        for across in range(-REACH_CELLS, REACH_CELLS + 1):
            carried = cv2.remap(wide, from_x + across, from_y + down, cv2.INTER_NEAREST)
            change = np.minimum(change, np.linalg.norm(carried - before, axis=2))
    inside = (from_x > 2 * REACH_CELLS) & (from_x < GRID_COLS - 1)
    moved = np.linalg.norm(before, axis=2) > MOVING_PX
    return np.asarray(np.where(moved & inside, change, 0.0), np.float32)


COLUMN_OF_CELL, ROW_OF_CELL = np.meshgrid(
    np.arange(GRID_COLS, dtype=np.float32), np.arange(GRID_ROWS, dtype=np.float32)
)


def seen_crashes(jumps: Jumps, seconds: Array, own_impacts: list[float]) -> list[Event]:
    """Jumps that last over several pictures; the first picture of the run is the start."""
    events = []
    for first, last in runs(jumps.z >= JUMP_Z, join=4):
        # After a crash of our own everybody around brakes, swerves and stops.
        if last - first + 1 < MIN_PICTURES or any(at < seconds[last] for at in own_impacts):
            continue
        peak = first + int(np.argmax(jumps.z[first : last + 1]))
        value = float(jumps.z[peak])
        events.append(
            Event(
                hazard=HazardKind.IMPACT_THIRD_PARTY,
                stage=EvidenceStage.MOTION,
                kind="others_collide",
                measure="motion_jump_z",
                value=value,
                threshold=JUMP_Z,
                start_seconds=float(seconds[first]),
                end_seconds=float(seconds[last]),
                peak_seconds=float(seconds[peak]),
                score=score_from(value, JUMP_Z),
                box=box_of_cell(int(jumps.cell[peak])),
            )
        )
    return events


def box_of_cell(cell: int) -> tuple[float, float, float, float]:
    """Five by five cells around a cell, as shares of the picture."""
    row, column = divmod(cell, GRID_COLS)
    return (
        max(0.0, (column - 2) / GRID_COLS),
        max(0.0, (row - 2) / GRID_ROWS),
        min(1.0, (column + 3) / GRID_COLS),
        min(1.0, (row + 3) / GRID_ROWS),
    )


def heard_crashes(sound: Sound, motion: CameraMotion, brakes: list[Event]) -> list[Event]:
    """Bangs of metal without a shake of the own vehicle after which its driver slows down."""
    strength, hiss = bang_strength(sound), high_rise(sound)
    events = []
    for first, last in runs(strength >= BANG_THRESHOLD, join=12):
        at = float(sound.seconds[first])
        if hiss[first : last + 1].max() < HISS_DECADES or not _calm_around(motion, at):
            continue
        braked = any(at - BRAKE_BEFORE_SECONDS <= brake.start_seconds <= at + BRAKE_AFTER_SECONDS for brake in brakes)
        if not braked and not _slows_after(motion, at):
            continue
        value = float(strength[first : last + 1].max())
        events.append(
            Event(
                hazard=HazardKind.IMPACT_THIRD_PARTY,
                stage=EvidenceStage.AUDIO,
                kind="bang_without_shake",
                measure="bang_strength",
                value=value,
                threshold=BANG_THRESHOLD,
                start_seconds=at,
                end_seconds=float(sound.seconds[last]),
                peak_seconds=float(sound.seconds[first + int(np.argmax(strength[first : last + 1]))]),
                score=0.8 * score_from(value, BANG_THRESHOLD),
            )
        )
    return events


def _calm_around(motion: CameraMotion, at: float) -> bool:
    near = np.abs(motion.seconds - at) <= CALM_REACH_SECONDS
    if not near.any():
        return False
    after = (motion.seconds >= at) & (motion.seconds <= at + STRUCK_AFTER_SECONDS)
    return (
        float(motion.shake_z[near].max()) < CALM_SHAKE_Z
        and float(motion.jolt_z[near].max()) < CALM_JOLT_Z
        and (not after.any() or float(motion.shake_z[after].max()) < STRUCK_SHAKE_Z)
    )


def _slows_after(motion: CameraMotion, at: float) -> bool:
    """True when the scenery grows more slowly after a moment than before it."""
    seconds = motion.seconds
    before = (seconds >= at - GROWTH_BEFORE_SECONDS) & (seconds < at)
    after = (seconds >= at + GROWTH_AFTER_SECONDS[0]) & (seconds < at + GROWTH_AFTER_SECONDS[1])
    if not after.any():
        after = seconds >= max(float(seconds[-1]) - LAST_SECONDS, at)
    if not before.any() or not after.any():
        return False
    usual = float(np.median(motion.expansion[before]))
    return usual >= LEAST_GROWTH and float(np.median(motion.expansion[after])) <= SLOWED_SHARE * usual
