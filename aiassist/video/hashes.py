"""Perceptual hashes: 64 bits of a picture that survive re-encoding and scaling."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

HASH_BITS = 64


def difference_hash(gray: NDArray[np.uint8] | NDArray[np.float32]) -> str:
    """dHash: one bit per neighbouring pair of a 9 x 8 reduction, as 16 hexadecimal digits."""
    small = cv2.resize(gray.astype(np.float32), (9, 8), interpolation=cv2.INTER_AREA)
    bits = (small[:, 1:] > small[:, :-1]).reshape(-1)
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def hamming_distance(one: str, other: str) -> int:
    """Number of differing bits of two hashes."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
