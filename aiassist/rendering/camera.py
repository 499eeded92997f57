"""The dashcam: how its body moves with the car (pitch, roll, yaw, heave) and how it maps the road to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.drive import Drive
from aiassist.rendering.kinematics import STEP_HZ, Series, damped_response, pulse, smooth_noise, smoothed
from aiassist.rendering.scenario import ClipSpec

CAMERA_BEHIND_BUMPER_M = 1.9  # windscreen mount of a compact car
PITCH_PER_MPS2 = np.radians(0.16)  # body dive under braking; road cars lie at 1-1.5 degrees per g
MOUNT_PER_MPS = np.radians(0.42)  # mount swing per m/s of delta-v, so that 36 km/h swings about 4 degrees
LANE_KEEPING_MPS = 0.5  # drifting across the lane is slower; a car pushed sideways slides without turning
STEERING_SECONDS = 0.4  # a heading cannot change faster than somebody steers
BLOW_PER_MPS = np.radians(1.5)  # body pitch from a vertical blow (pothole) of 1 m/s


@dataclass(frozen=True)
class CameraPath:
    """Angles in radians (pitch down, roll clockwise, yaw right positive) and heave in metres, per simulation step."""

    pitch: Series
    roll: Series
    yaw: Series
    heave: Series


def camera_path(drive: Drive, spec: ClipSpec) -> CameraPath:
    """How the camera moves on its car: dive, road noise, and the swing after every blow."""
    rng = np.random.default_rng([spec.seed, 3])
    pitch = damped_response(-drive.braking * PITCH_PER_MPS2, hertz=1.4, damping=0.32)
    pitch += _road_noise(rng, drive, spec, degrees=0.045)
    roll = _road_noise(rng, drive, spec, degrees=0.04)
    yaw = _road_noise(rng, drive, spec, degrees=0.02) + _slip(drive)
    heave = _road_noise(rng, drive, spec, degrees=0.25)  # 0.25 "degrees" are 4 mm of heave
    softness = float(rng.uniform(0.65, 1.45))  # suction cups and glued mounts differ
    for blow in drive.impulses:
        swing = _swing(rng, drive.times, at=blow.at)
        sign = -1.0 if blow.forward > 0 else 1.0
        size = float(np.hypot(blow.forward, blow.sideways)) * MOUNT_PER_MPS * softness
        hop = blow.upward * BLOW_PER_MPS
        pitch += sign * size * swing[0] + hop * swing[1]
        roll += (
            0.5 * size * float(rng.normal(0.0, 0.6)) + 0.6 * hop * float(rng.choice(np.array([-1.0, 1.0])))
        ) * swing[2]
        roll += np.radians(0.5) * blow.sideways * swing[1]
        yaw += (0.35 * size * float(rng.normal(0.0, 0.6)) + 0.5 * blow.sideways * MOUNT_PER_MPS) * swing[2]
        heave -= 0.02 * blow.upward * swing[1]
    return CameraPath(pitch=pitch, roll=roll, yaw=yaw, heave=heave)


def _road_noise(rng: np.random.Generator, drive: Drive, spec: ClipSpec, *, degrees: float) -> Series:
    """Vibration that grows with speed: body motion at 0.7-2 Hz and a little of the wheels' 7-12 Hz."""
    count = len(drive.times)
    body = smooth_noise(rng, count, low_hz=0.5, high_hz=1.8)
    wheels = smooth_noise(rng, count, low_hz=6.0, high_hz=11.0)
    strength = np.clip(drive.speed / 20.0, 0.0, 1.4) + 0.02
    return np.asarray(np.radians(degrees) * spec.shake * strength * (body + 0.15 * wheels), dtype=np.float64)


def _slip(drive: Drive) -> Series:
    """The heading that drifting across the lane means; it fades out with the speed, since who stands cannot turn."""
    sideways = np.clip(np.gradient(drive.across) * STEP_HZ, -LANE_KEEPING_MPS, LANE_KEEPING_MPS)
    rolling = np.clip(drive.speed / 4.0, 0.0, 1.0)
    heading = 0.5 * rolling * np.arctan2(sideways, np.maximum(drive.speed, 2.0))
    return smoothed(heading, STEERING_SECONDS)


def _swing(rng: np.random.Generator, times: Series, *, at: float) -> tuple[Series, Series, Series]:
    """Unit responses to a blow at `at`: the mount (fast), the body (slow), and the body turned (in between)."""
    knock = pulse(times, at=at, change=1.0)
    out = []
    for hertz, damping in ((7.0, 0.16), (1.7, 0.30), (3.5, 0.20)):
        rate = hertz * float(rng.uniform(0.85, 1.2))
        # The raw response to a short push has the height 2 pi f; divided by it, a unit blow swings by about 1.
        out.append(damped_response(knock, hertz=rate, damping=damping) / (2.0 * np.pi * rate))
    return out[0], out[1], out[2]


@dataclass(frozen=True)
class Pose:
    """The camera at one frame. `along` and `across` are its place on the road, `heading` the compass of the sky."""

    along: float
    across: float
    height: float
    curvature: float
    heading: float
    rotation: NDArray[np.float64]
    pitch: float
    roll: float
    yaw: float


@dataclass(frozen=True)
class Lens:
    """A pinhole: focal length and centre in pixels, and the angle at which it is mounted (down positive)."""

    width: int
    height: int
    focal: float
    centre_x: float
    centre_y: float

    @classmethod
    def of(cls, spec: ClipSpec) -> Lens:
        # The horizon lies a little above the middle, as in most windscreen mounts.
        return cls(spec.width, spec.height, spec.focal_ratio * spec.width, spec.width / 2, spec.height * 0.47)

    def project(self, points: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
        """Pixels of points given as (right, down, forward) metres from the camera, along the road's direction."""
        seen = points @ pose.rotation.T
        depth = np.maximum(seen[:, 2:3], 0.05)
        centre = np.array([self.centre_x, self.centre_y])
        return np.asarray(seen[:, :2] / depth * self.focal + centre, dtype=np.float64)


def rotation_of(pitch: float, roll: float, yaw: float) -> NDArray[np.float64]:
    """Road directions (right, down, forward) to camera directions."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]])
    cos, sin = np.cos(pitch), np.sin(pitch)
    nod = np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
    cos, sin = np.cos(roll), np.sin(roll)
    lean = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(lean @ nod @ turn, dtype=np.float64)


def pose_at(drive: Drive, path: CameraPath, spec: ClipSpec, at: float) -> Pose:
    """The camera's pose at a time of the drive."""

    def now(values: Series) -> float:
        return float(np.interp(at, drive.times, values))

    pitch, roll, yaw, along = now(path.pitch), now(path.roll), now(path.yaw), now(drive.along)
    return Pose(
        along=along - CAMERA_BEHIND_BUMPER_M,
        across=now(drive.across),
        height=spec.camera_height_m + now(path.heave),
        curvature=drive.curvature,
        heading=drive.curvature * along + yaw,
        rotation=rotation_of(pitch, roll, yaw),
        pitch=pitch,
        roll=roll,
        yaw=yaw,
    )
