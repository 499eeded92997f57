"""How far the flow of a cell can be believed: as far as its structure stands above the noise of the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aiassist.video.observe import VideoRecord

# Mean grey step per pixel (after the blur of `observe`) at which a noiseless cell counts half; below 1 DIS invents.
HALF_TRUST_TEXTURE = 2.0
# The calmest tenth of all cells (sky, asphalt) shows noise alone; structure must stand out from it.
NOISE_PERCENTILE = 10.0
NOISE_FACTOR = 1.5

Floats = NDArray[np.float32]


def noise_texture(record: VideoRecord) -> float:
    """The texture that noise alone makes in this clip."""
    return float(np.percentile(record.texture, NOISE_PERCENTILE))


def trust_of(texture: NDArray[np.float16] | Floats, noise: float) -> Floats:
    """Weight 0–1 per cell."""
    wide = texture.astype(np.float32)
    half = np.float32(HALF_TRUST_TEXTURE + NOISE_FACTOR * noise)
    squared = np.square(wide)
    return np.asarray(squared / (squared + half * half), np.float32)
