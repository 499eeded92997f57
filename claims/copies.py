"""The same, or nearly the same, video under another claim of the tenant."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from aiassist.types import IntegrityCode, KnownCopy, VideoFacts
from aiassist.video.hashes import HASH_BITS, hamming_distance
from claims.models import Claim, VideoFile
from claims.visibility import shown_number

# Enough names for a reviewer to see a pattern; each further copy adds next to nothing to the score.
_MOST_COPIES = 20
# The newest videos of the tenant that are compared: 16 hashes each, about 1 MB of rows, whatever the tenant's size.
_MOST_COMPARED = 3_000
# Mean differing bits of pictures at the same places of two clips. Measured on ten real clips: halved in size and
# re-encoded at CRF 32 they differ from themselves by 0.2–4.0, any two of them by 20.8 and more; 12 lies in the middle.
NEAR_DISTANCE_BITS = 12.0
# A re-encoded or scaled copy lasts as long as its source, give or take a dropped picture.
_DURATION_TOLERANCE_SECONDS = 0.5
# Pictures without structure (black, white, one colour) hash alike whatever they show.
_FEWEST_STRUCTURED = 4
_PLAIN_BITS = 6


def same_video_copies(claim: Claim) -> tuple[KnownCopy, ...]:
    """Return the other claims of the tenant on the very same stored file."""
    others = Claim.objects.filter(video_id=claim.video_id).exclude(id=claim.id).order_by("received_at", "id")
    numbers = others.values_list("claim_number", "restricted")[:_MOST_COPIES]
    return tuple(KnownCopy(IntegrityCode.DUPLICATE_VIDEO, shown_number(*number), 0.0) for number in numbers)


def near_video_copies(claim: Claim, facts: VideoFacts) -> tuple[KnownCopy, ...]:
    """Return claims of the tenant whose video looks like this one: same length, pictures alike at the same places."""
    if len(structured(facts.perceptual_hashes)) < _FEWEST_STRUCTURED:
        return ()
    newest = VideoFile.objects.exclude(id=claim.video_id).exclude(perceptual_hashes=[]).order_by("-stored_at")
    rows = newest.values_list("id", "duration_seconds", "perceptual_hashes")[:_MOST_COMPARED]
    near = {
        video_id: distance
        for video_id, seconds, hashes in rows
        if seconds is not None and abs(seconds - facts.duration_seconds) <= _DURATION_TOLERANCE_SECONDS
        if (distance := clip_distance(facts.perceptual_hashes, hashes)) <= NEAR_DISTANCE_BITS
    }
    claims = Claim.objects.filter(video_id__in=list(near)).order_by("received_at", "id")
    shown = claims.values_list("video_id", "claim_number", "restricted")[:_MOST_COPIES]
    return tuple(
        KnownCopy(
            IntegrityCode.NEAR_DUPLICATE_VIDEO, shown_number(number, restricted), near[video_id], NEAR_DISTANCE_BITS
        )
        for video_id, number, restricted in shown
    )


def clip_distance(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the mean number of differing bits over the places where both clips show structure; 64 if too few do."""
    if len(one) != len(other):
        return float(HASH_BITS)
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if _is_structured(a) and _is_structured(b)]
    if len(pairs) < _FEWEST_STRUCTURED:
        return float(HASH_BITS)
    return round(fmean(hamming_distance(a, b) for a, b in pairs), 2)


def structured(hashes: Sequence[str]) -> list[str]:
    """Return the hashes of pictures that show something."""
    return [value for value in hashes if _is_structured(value)]


def _is_structured(value: str) -> bool:
    ones = int(value, 16).bit_count()
    return _PLAIN_BITS <= ones <= HASH_BITS - _PLAIN_BITS
