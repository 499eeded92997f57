"""From a spec to a finished film: which frames of which drive come in which order, with their sound and truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from aiassist.rendering.drive import Drive, truth_of_drive
from aiassist.rendering.scenario import ClipKind, ClipSpec, Truth
from aiassist.rendering.scene import Shot
from aiassist.rendering.sound import SAMPLE_HZ, Sound, drive_sound, tone
from aiassist.rendering.still import black_picture, test_card
from aiassist.rendering.stories import crossing, following, plain
from aiassist.rendering.texture import Picture
from aiassist.types import Scenario, Severity

STORIES: dict[ClipKind, Callable[[ClipSpec], Drive]] = {
    ClipKind.CALM: plain.calm,
    ClipKind.REAR_END: following.rear_end,
    ClipKind.REAR_ENDED: following.rear_ended,
    ClipKind.NEAR_MISS: following.near_miss,
    ClipKind.THIRD_PARTY: crossing.third_party,
    ClipKind.SIDE_IMPACT: crossing.side_impact,
    ClipKind.CUT_IN: crossing.cut_in,
    ClipKind.POTHOLE: plain.pothole,
    ClipKind.HORN_ONLY: plain.horn_only,
    ClipKind.PARKED: plain.parked,
    ClipKind.DOOR_SLAM: plain.door_slam,
    ClipKind.CUT: plain.calm,
    ClipKind.FROZEN: plain.calm,
    ClipKind.LOOPED: plain.calm,
}
STILLS: dict[ClipKind, Callable[[ClipSpec], Picture]] = {ClipKind.BLACK: black_picture, ClipKind.TEST_CARD: test_card}


@dataclass(frozen=True)
class Stretch:
    """`count` frames of a drive from its frame `first` on; `held` shows that first frame all the time."""

    drive: int
    first: int
    count: int
    held: bool = False


def simulate(spec: ClipSpec) -> Drive:
    """The drive a spec describes, before any editing."""
    return STORIES[spec.kind](spec)


def truth_of(spec: ClipSpec) -> Truth:
    """The truth of a spec, without rendering anything."""
    if spec.kind in STILLS:
        return Truth(
            kind=spec.kind,
            scenario=Scenario.NO_EVENT,
            severity=Severity.NONE,
            duration_seconds=spec.frame_count / spec.fps,
            has_sound=spec.sound,
        )
    truth = truth_of_drive(simulate(spec), spec)
    stretches = edit_list(spec)
    if len(stretches) == 1:
        return truth
    # What is close in the unedited drive may not be shown, or not then.
    truth = replace(truth, closest_distance_m=None, closest_seconds=None, minimum_time_to_contact_seconds=None)
    if spec.kind is ClipKind.CUT:
        return replace(truth, cuts_seconds=(_seconds(spec, stretches[0].count),))
    if spec.kind is ClipKind.FROZEN:
        start = stretches[0].count
        return replace(truth, frozen_seconds=((_seconds(spec, start), _seconds(spec, start + stretches[1].count)),))
    join = stretches[0].count
    until = min(join + join - stretches[1].first, spec.frame_count)
    return replace(
        truth,
        cuts_seconds=(_seconds(spec, join),),
        looped_seconds=((_seconds(spec, join), _seconds(spec, until)),),
    )


def _seconds(spec: ClipSpec, frame: int) -> float:
    return frame / spec.fps


def edit_list(spec: ClipSpec) -> tuple[Stretch, ...]:
    """Which stretches of which drive a clip shows."""
    total = spec.frame_count
    at = int(np.clip(round(spec.event_at * spec.fps), 1, max(total - 1, 1)))
    rng = np.random.default_rng([spec.seed, 8])
    length = max(2, round(float(rng.uniform(0.1, 0.2)) * total))
    if spec.kind is ClipKind.CUT:
        return (Stretch(0, 0, at), Stretch(1, 0, total - at))
    if spec.kind is ClipKind.FROZEN:
        length = min(length, total - at)
        return (Stretch(0, 0, at), Stretch(0, at, length, held=True), Stretch(0, at + length, total - at - length))
    if spec.kind is ClipKind.LOOPED:
        return (Stretch(0, 0, at), Stretch(0, max(at - length, 0), total - at))
    return (Stretch(0, 0, total),)


def _drives(spec: ClipSpec) -> list[tuple[ClipSpec, Drive]]:
    """The drives that a clip is cut from; a splice continues with another day's drive."""
    drives = [(spec, simulate(spec))]
    if spec.kind is ClipKind.CUT:
        other = replace(spec, seed=spec.seed + 500_000_000, kind=ClipKind.CALM)
        drives.append((other, simulate(other)))
    return drives


def film_frames(spec: ClipSpec) -> Iterator[Picture]:
    """Every frame of the finished clip (blue, green, red)."""
    if spec.kind in STILLS:
        picture = STILLS[spec.kind](spec)
        for _ in range(spec.frame_count):
            yield picture
        return
    shots = [Shot.of(part, drive) for part, drive in _drives(spec)]
    for stretch in edit_list(spec):
        held = shots[stretch.drive].frame(stretch.first) if stretch.held else None
        for index in range(stretch.count):
            yield shots[stretch.drive].frame(stretch.first + index) if held is None else held


def film_sound(spec: ClipSpec) -> Sound | None:
    """The sound of the finished clip, or None for a silent one. A frozen picture keeps its live sound."""
    if not spec.sound:
        return None
    total = round(spec.frame_count / spec.fps * SAMPLE_HZ)
    if spec.kind is ClipKind.BLACK:
        return np.asarray(0.001 * np.random.default_rng([spec.seed, 6]).standard_normal(total), dtype=np.float32)
    if spec.kind is ClipKind.TEST_CARD:
        return tone(total)
    sounds = [drive_sound(part, drive) for part, drive in _drives(spec)]
    pieces = []
    for stretch in edit_list(spec):
        first = round(stretch.first / spec.fps * SAMPLE_HZ)
        pieces.append(sounds[stretch.drive][first : first + round(stretch.count / spec.fps * SAMPLE_HZ)])
    return np.concatenate(pieces)
