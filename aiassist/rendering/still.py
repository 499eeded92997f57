"""Pictures that are no drive: a covered lens and a colour test card."""

from __future__ import annotations

import cv2
import numpy as np

from aiassist.rendering.scenario import ClipSpec
from aiassist.rendering.texture import Picture

# The colour bars of EBU/SMPTE test cards at 75 %, as blue, green, red.
_BARS = ((191, 191, 191), (0, 191, 191), (191, 191, 0), (0, 191, 0), (191, 0, 191), (0, 0, 191), (191, 0, 0))


def black_picture(spec: ClipSpec) -> Picture:
    """A covered lens: black with the faint noise of the sensor."""
    rng = np.random.default_rng([spec.seed, 7])
    faint = np.abs(rng.standard_normal((spec.height, spec.width, 1))) * 1.5
    return np.repeat(np.clip(faint, 0, 6).astype(np.uint8), 3, axis=2)


def test_card(spec: ClipSpec) -> Picture:
    """Colour bars over a reversed strip and a grey ramp."""
    picture = np.zeros((spec.height, spec.width, 3), dtype=np.uint8)
    edges = np.linspace(0, spec.width, len(_BARS) + 1).round().astype(int)
    two_thirds, three_quarters = round(spec.height * 0.67), round(spec.height * 0.75)
    for index, colour in enumerate(_BARS):
        picture[:two_thirds, edges[index] : edges[index + 1]] = colour
        picture[two_thirds:three_quarters, edges[index] : edges[index + 1]] = _BARS[-1 - index]
    picture[three_quarters:] = np.linspace(0, 255, spec.width).astype(np.uint8)[None, :, None]
    cv2.rectangle(picture, (0, 0), (spec.width - 1, spec.height - 1), (235, 235, 235), 1)
    return picture
