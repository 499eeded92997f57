"""The light of a clip: colours of sky, haze, ground and how bright things are by day, dusk, night and rain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.scenario import Lighting

Colour = tuple[float, float, float]  # blue, green, red, 0-255


@dataclass(frozen=True)
class Palette:
    """`ambient` scales every unlit colour, `visibility_m` is where haze has taken two thirds of the contrast, `noise`
    multiplies the sensor noise, `exposure_seconds` blurs fast camera motion.

    Pictures are drawn with a grey haze, which is cheap to blend, and get their `cast` (colour of the haze) at the end.
    """

    zenith: Colour
    horizon: Colour
    cloud: Colour
    cloudiness: float
    haze: Colour
    ambient: float
    visibility_m: float
    noise: float
    exposure_seconds: float
    lamps: bool
    wet: bool = False

    @property
    def haze_grey(self) -> float:
        return max(self.haze)

    @property
    def cast(self) -> NDArray[np.float32]:
        """What each colour channel keeps of a grey, so that the haze gets its colour."""
        return np.asarray(self.haze, dtype=np.float32) / np.float32(self.haze_grey)


PALETTES: dict[Lighting, Palette] = {
    Lighting.DAY: Palette(
        zenith=(205, 140, 82),
        horizon=(228, 212, 194),
        cloud=(246, 243, 240),
        cloudiness=0.5,
        haze=(214, 204, 192),
        ambient=1.0,
        visibility_m=330.0,
        noise=1.0,
        exposure_seconds=0.008,
        lamps=False,
    ),
    Lighting.DUSK: Palette(
        zenith=(150, 106, 84),
        horizon=(142, 172, 226),
        cloud=(158, 148, 170),
        cloudiness=0.6,
        haze=(134, 142, 160),
        ambient=0.68,
        visibility_m=260.0,
        noise=1.6,
        exposure_seconds=0.014,
        lamps=True,
    ),
    Lighting.NIGHT: Palette(  # the light mask takes two thirds away wherever the headlights do not reach
        zenith=(84, 62, 50),
        horizon=(112, 98, 92),
        cloud=(104, 92, 88),
        cloudiness=0.35,
        haze=(62, 56, 54),
        ambient=1.2,
        visibility_m=80.0,
        noise=2.2,
        exposure_seconds=0.022,
        lamps=True,
    ),
    Lighting.RAIN: Palette(
        zenith=(158, 152, 146),
        horizon=(190, 186, 182),
        cloud=(202, 199, 196),
        cloudiness=0.8,
        haze=(180, 177, 174),
        ambient=0.74,
        visibility_m=110.0,
        noise=1.4,
        exposure_seconds=0.012,
        lamps=True,
        wet=True,
    ),
}


def palette_of(lighting: Lighting) -> Palette:
    return PALETTES[lighting]


def lit(colour: Colour | NDArray[np.float32], palette: Palette) -> NDArray[np.float32]:
    """A colour as it looks in this light, before the cast."""
    return np.asarray(np.asarray(colour, dtype=np.float32) * np.float32(palette.ambient), dtype=np.float32)


def uncast(colour: Colour, palette: Palette) -> NDArray[np.float32]:
    """A colour of the finished picture as it must be drawn so that the cast restores it."""
    return np.asarray(np.asarray(colour, dtype=np.float32) / palette.cast, dtype=np.float32)
