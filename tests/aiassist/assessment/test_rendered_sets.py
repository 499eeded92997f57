"""Training, calibration and test never share a clip."""

from __future__ import annotations

from itertools import combinations

from aiassist.assessment.rendered_sets import balanced_specs, edited_specs, quiet_specs
from aiassist.rendering.sampling import Purpose
from aiassist.rendering.scenario import ClipSpec

PURPOSES: tuple[Purpose, ...] = ("train", "calibrate", "test")


def everything(purpose: Purpose) -> tuple[ClipSpec, ...]:
    return (*balanced_specs(purpose, 40), *quiet_specs(purpose, 20), *edited_specs(purpose, 20))


def test_the_sets_share_no_seed() -> None:
    seeds = {purpose: {spec.seed for spec in everything(purpose)} for purpose in PURPOSES}
    for one, other in combinations(PURPOSES, 2):
        assert not seeds[one] & seeds[other]
    assert all(len(found) == 80 for found in seeds.values())


def test_quiet_specs_hold_no_impact() -> None:
    quiet = quiet_specs("test", 20)
    assert len(quiet) == 20
    assert all(spec.delta_v_kmh is None for spec in quiet)


def test_the_sets_are_the_same_every_time() -> None:
    assert everything("train") == everything("train")
