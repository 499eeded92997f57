"""Sets of specs: disjoint, balanced, varied, and the same every time."""

from __future__ import annotations

from collections import Counter

from aiassist.rendering.film import truth_of
from aiassist.rendering.sampling import Purpose, sample_specs, seed_range
from aiassist.rendering.scenario import ClipKind
from aiassist.types import Severity

PURPOSES: tuple[Purpose, ...] = ("train", "calibrate", "test")


def test_sample_specs_of_different_purposes_share_no_seed() -> None:
    ranges = [seed_range(purpose) for purpose in PURPOSES]
    for index, first in enumerate(ranges):
        for second in ranges[index + 1 :]:
            assert first.stop <= second.start or second.stop <= first.start
        assert all(spec.seed in first for spec in sample_specs(PURPOSES[index], 40))


def test_sample_specs_are_the_same_row_whatever_part_is_asked_for() -> None:
    row = sample_specs("train", 12)
    assert sample_specs("train", 5, offset=7) == row[7:]
    assert sample_specs("train", 12) == row


def test_sample_specs_are_balanced_over_severities_and_true_to_them() -> None:
    truths = [truth_of(spec) for spec in sample_specs("calibrate", 40)]
    assert Counter(truth.severity for truth in truths) == dict.fromkeys(Severity, 10)


def test_sample_specs_vary_what_surrounds_the_event() -> None:
    specs = sample_specs("test", 120)
    for values in (
        {spec.lighting for spec in specs},
        {spec.surroundings for spec in specs},
        {(spec.width, spec.height) for spec in specs},
        {spec.fps for spec in specs},
        {spec.sound for spec in specs},
        {spec.mirrored for spec in specs},
    ):
        assert len(values) >= 2
    assert {spec.kind for spec in specs} >= {ClipKind.CALM, ClipKind.REAR_END, ClipKind.REAR_ENDED, ClipKind.NEAR_MISS}
    speeds = [spec.delta_v_kmh for spec in specs if spec.delta_v_kmh]
    assert min(speeds) < 4.0
    assert max(speeds) > 50.0


def test_sample_specs_mix_in_edited_clips_when_asked() -> None:
    edited = {ClipKind.CUT, ClipKind.FROZEN, ClipKind.LOOPED, ClipKind.BLACK, ClipKind.TEST_CARD}
    share = sum(spec.kind in edited for spec in sample_specs("test", 200, edited_share=0.3)) / 200
    assert 0.2 < share < 0.4
