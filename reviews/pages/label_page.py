"""What a person sees who labels a video blind: the film, where something was measured, and nothing that was thought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiassist.types import Severity
from claims.pages.badges import SEVERITY_BADGES
from claims.words import clock_words
from reviews.labels import Place, places_of
from reviews.models import BlindLabel
from reviews.pages.media import video_url

CANNOT_TELL = "CANNOT_TELL"
# The convention by which the AI was taught too (AI severity is the insured vehicle's, by its change of speed).
_MEANINGS = {
    Severity.NONE: "No impact on the insured vehicle, also where others crash.",
    Severity.LOW: "Its speed changes by less than 8 km/h: a touch, a bump.",
    Severity.MEDIUM: "By 8 to 25 km/h: bodywork bends, people are thrown forward.",
    Severity.HIGH: "By more than 25 km/h: about where airbags fire.",
}


@dataclass(frozen=True)
class PlaceLink:
    words: str
    seek: str
    url: str


@dataclass(frozen=True)
class LabelChoice:
    value: str
    word: str
    icon: str
    meaning: str
    key: str


def label_context(label: BlindLabel | None, *, waiting: int) -> dict[str, Any]:
    """Return the page of the first waiting video, or of none."""
    if label is None:
        return {"label": None}
    url = video_url(label.claim_id)
    return {
        "label": label,
        "video_url": url,
        "duration_words": clock_words(label.claim.video.duration_seconds or 0.0),
        "places": [_place_link(place, url) for place in places_of(label)],
        "choices": [
            LabelChoice(severity, badge.word, badge.icon, _MEANINGS[Severity(severity)], str(key))
            for key, (severity, badge) in enumerate(SEVERITY_BADGES.items(), start=1)
        ],
        "cannot_tell": CANNOT_TELL,
        "others_waiting": waiting - 1,
    }


def _place_link(place: Place, url: str) -> PlaceLink:
    start, end = clock_words(place.start_seconds), clock_words(place.end_seconds)
    # A little before it begins, so that it is seen coming.
    seek = f"{max(place.start_seconds - 1.0, 0.0):.1f}"
    return PlaceLink(start if start == end else f"{start} – {end}", seek, f"{url}#t={seek}")
