"""Jolts of the camera: where they begin, how hard, which way, how long they ring, and what the speed did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.video.motion import SHAKE_SECONDS, CameraMotion
from aiassist.video.robust import Array, runs
from aiassist.video.speed import Speed

# The shake must stand this far above the clip's usual unrest to be looked at; what it means is judged in `impacts`.
SHAKE_Z = 1.5
SHAKE_PX = 0.1
# The blow's first picture: the first jolt above this share of the burst's largest and this far above the usual.
ONSET_SHARE, ONSET_Z = 0.2, 2.0
JOIN_SECONDS = 0.3
# The first nod is the first that reaches this share of the largest one.
NOD_SHARE = 0.3
# Close around the blow, so that braking before and after it is not taken for it.
BEFORE_SECONDS = (0.6, 0.1)
AFTER_SECONDS = (0.3, 0.9)


@dataclass(frozen=True)
class Burst:
    """One jolt. Shares are of its energy; speeds are relative to the clip's usual speed (0 when unknown).

    `first_nod_px` is the first clear jolt up or down (positive: the picture moves down, the camera is thrown back).
    `rocking` is 1 for a slow rocking of the body, 0 for a fast ringing of the mount.
    """

    start_seconds: float
    peak_seconds: float
    end_seconds: float
    shake_z: float
    shake_px: float
    peak_z: float
    peak_px: float
    energy_px2: float
    vertical_share: float
    roll_share: float
    sideways_px: float
    scale_kick_px: float
    first_nod_px: float
    rocking: float
    speed_before: float
    speed_after: float

    @property
    def speed_change(self) -> float:
        """Change relative to the larger of both and to half the usual speed: two near-zero speeds are no change."""
        return (self.speed_after - self.speed_before) / max(abs(self.speed_before), abs(self.speed_after), 0.5)


def find_bursts(motion: CameraMotion, speed: Speed) -> list[Burst]:
    """Every jolt that stands out, in order of time."""
    if motion.seconds.size < 5:
        return []
    step = max(float(np.median(np.diff(motion.seconds))), 1e-3)
    loud = (motion.shake_z >= SHAKE_Z) & (motion.shake >= SHAKE_PX)
    window = round(SHAKE_SECONDS / step)
    bursts = []
    for first, last in runs(loud, join=round(JOIN_SECONDS / step)):
        # The shake looks ahead over a window, so it is highest where its window begins with the blow.
        strongest = first + int(np.argmax(motion.shake[first : last + 1]))
        end = min(last + window, motion.seconds.size - 1)
        inside = np.arange(max(strongest - 1, 1), end + 1)
        bursts.append(_burst(motion, speed, inside, (first, last)))
    return bursts


def _burst(motion: CameraMotion, speed: Speed, inside: NDArray[np.int64], run: tuple[int, int]) -> Burst:
    """Measures the jolt in a stretch of pictures."""
    seconds, size = motion.seconds, motion.jolt_px[inside]
    peak = int(inside[np.argmax(size)])
    usual = float(np.median(motion.jolt_px))
    strong = (size >= ONSET_SHARE * size.max() + usual) & (motion.jolt_z[inside] >= ONSET_Z)
    first = int(inside[np.argmax(strong)]) if strong.any() else peak
    last = int(inside[strong][-1]) if strong.any() else peak
    part = slice(first, last + 1)
    across, down, roll = motion.jolt_x[part], motion.jolt_y[part], motion.jolt_roll[part]
    energy = float((across**2 + down**2 + roll**2).sum())
    # A pair's flow lies between its two pictures: the blow fell right after the earlier one.
    start = float(seconds[max(first - 1, 0)])
    return Burst(
        start_seconds=start,
        peak_seconds=float(seconds[peak]),
        end_seconds=max(float(seconds[last]), start + 0.05),
        shake_z=float(motion.shake_z[run[0] : run[1] + 1].max()),
        shake_px=float(motion.shake[run[0] : run[1] + 1].max()),
        peak_z=float(motion.jolt_z[inside].max()),
        peak_px=float(size.max()),
        energy_px2=energy,
        vertical_share=float((down**2).sum()) / max(energy, 1e-9),
        roll_share=float((roll**2).sum()) / max(energy, 1e-9),
        sideways_px=float(across[np.argmax(np.abs(across))]),
        scale_kick_px=float(np.abs(motion.jolt_scale[part]).max()),
        first_nod_px=_first_nod(motion.jolt_y[inside[0] : last + 1]),
        rocking=_rocking(motion.jolt_y[first : max(last + 1, first + 4)]),
        speed_before=_median_between(speed.relative, seconds, start - BEFORE_SECONDS[0], start - BEFORE_SECONDS[1]),
        speed_after=_median_between(speed.relative, seconds, start + AFTER_SECONDS[0], start + AFTER_SECONDS[1]),
    )


def _median_between(values: Array, seconds: Array, start: float, end: float) -> float:
    inside = (seconds >= start) & (seconds <= end)
    return float(np.median(values[inside])) if inside.any() else 0.0


def _first_nod(down: Array) -> float:
    """The first jolt up or down that is no mere ripple, with its sign."""
    size = np.abs(down)
    return float(down[np.argmax(size >= NOD_SHARE * size.max())])


def _rocking(down: Array) -> float:
    """How smoothly the nods follow each other: neighbours of one sign are a slow movement, changes of sign a fast."""
    whole = 2.0 * float(np.abs(down).sum())
    return 1.0 - min(float(np.abs(np.diff(down, prepend=0.0, append=0.0)).sum()) / max(whole, 1e-9), 1.0)
