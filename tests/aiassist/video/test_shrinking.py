"""Shortcuts in scaling and in medians say what the plain way says."""

from __future__ import annotations

import numpy as np
import pytest

from aiassist.video.robust import row_medians
from aiassist.video.stream import shrunk


@pytest.mark.parametrize("factor", [2, 3, 4, 6])
def test_a_shrunk_plane_holds_the_means_of_its_areas(factor: int) -> None:
    plane = np.random.default_rng(factor).integers(0, 256, (18 * factor, 32 * factor), np.uint8)
    means = plane.reshape(18, factor, 32, factor).mean(axis=(1, 3))
    assert np.abs(shrunk(plane, (32, 18)) - means).max() <= 1.0


def test_medians_of_rows_leave_out_what_is_unknown() -> None:
    rng = np.random.default_rng(5)
    values = np.where(rng.random((60, 33)) < 0.3, np.nan, rng.normal(size=(60, 33))).astype(np.float32)
    assert np.array_equal(row_medians(values), np.nanmedian(values, axis=1))
    values[0] = np.nan
    assert np.isnan(row_medians(values)[0])
