"""A camera that turns and never drives is no dashcam: the clip is refused with its reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aiassist.types import EvidenceStage, IntegrityCode, Measurements
from aiassist.video.gather import gather
from aiassist.video.limits import MEASURE_LIMITS
from aiassist.video.measure import measurements_of
from tests.aiassist.video.clips import Image, street, write_clip

PICTURES = 50


def measured(path: Path) -> Measurements:
    return measurements_of(gather(path, demuxer="mov", limits=MEASURE_LIMITS))


def turned(picture: Image, pixels: int) -> Image:
    """What a camera sees that was turned by so many pixels; the scene closes in a ring."""
    return np.roll(np.concatenate([picture, picture[:, ::-1]], axis=1), -pixels, axis=1)[:, : picture.shape[1]]


def test_a_camera_that_only_turns_is_refused_as_no_dashcam_view(tmp_path: Path) -> None:
    scene = street(1)[0]
    clip = write_clip(tmp_path / "turned.mp4", [turned(scene, 4 * number) for number in range(PICTURES)])
    found = measured(clip)
    assert found.not_assessable_reason is IntegrityCode.NOT_DASHCAM
    assert found.hazards == (), "what moves in such a view is no hazard to the insured vehicle"
    flag = next(flag for flag in found.integrity if flag.code is IntegrityCode.NOT_DASHCAM)
    assert flag.value >= flag.threshold
    assert {finding.stage for finding in found.findings} <= {EvidenceStage.INTEGRITY}
