"""The demonstration clips show what their stories need."""

from __future__ import annotations

from aiassist.rendering.demo import demonstration_specs
from aiassist.rendering.film import truth_of
from aiassist.rendering.scenario import ClipKind
from aiassist.types import Severity


def test_demonstration_specs_serve_both_tenants_and_the_first_is_a_serious_crash() -> None:
    clips = demonstration_specs()
    assert {clip.tenant for clip in clips} == {"acme", "borealis"}
    assert len({clip.name for clip in clips}) == len({clip.claim_number for clip in clips}) == len(clips)
    first = truth_of(clips[0].spec)
    assert (first.severity, first.has_sound) == (Severity.HIGH, True)


def test_demonstration_specs_cover_what_a_reviewer_meets() -> None:
    clips = demonstration_specs()
    kinds = {clip.spec.kind for clip in clips}
    assert kinds >= {
        ClipKind.REAR_END,
        ClipKind.REAR_ENDED,
        ClipKind.NEAR_MISS,
        ClipKind.CALM,
        ClipKind.CUT,
        ClipKind.BLACK,
    }
    assert {truth_of(clip.spec).severity for clip in clips} == set(Severity)
