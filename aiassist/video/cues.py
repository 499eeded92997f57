"""Where in a long clip to look closely: what can be told from sound, packet sizes, keyframes and telemetry.

A jolt or a splice cannot be predicted from the pictures before, so the encoder spends bytes on it; an encoder also
puts a keyframe where the scene changes. A crash that makes neither noise nor bytes ends in a standstill, which two
keyframes show. What no cue points at is seen by the even sample alone, and the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiassist.video.events import Event
from aiassist.video.hearing import Hearing
from aiassist.video.robust import Array, robust_z, runs, smooth
from aiassist.video.survey import Survey

BIN_SECONDS = 0.2
# Sizes are compared, in decades, with the median of ten seconds around; a calm drive wavers by a tenth of a decade.
AROUND_BINS = 51
SIZE_FLOOR = 0.04
SIZE_Z = 3.5
SIZE_MOST = 3.0
BANG_LEAST = 0.8
# A keyframe that comes in less than this share of the usual distance was put there for a reason.
EARLY_KEY_SHARE = 0.75
CHANGE_Z, CHANGE_FLOOR = 3.0, 0.05
# Two keyframes that differ by less than this share of the drive's usual show a standing vehicle.
STILL_SHARE, MOVING_SHARE = 0.25, 0.5
DRIVE_PERCENTILE = 90.0
FEWEST_PAIRS = 4
EARLY_KEY_SCORE, CHANGE_SCORE, STANDSTILL_SCORE = 0.7, 0.6, 0.8
SHOCK_SCORE = 4.0
# Cues of different kinds within this time speak for one event.
SAME_EVENT_SECONDS = 1.0


@dataclass(frozen=True)
class Cue:
    """A moment worth a look; cues of different kinds add up."""

    seconds: float
    kind: str
    score: float


def cues_of(survey: Survey, hearing: Hearing, shocks: list[Event]) -> list[Cue]:
    """All cues of a clip, strongest first; a moment that several kinds share counts the sum of their best."""
    cues = [*_bangs(hearing), *_large_packets(survey), *_early_keys(survey), *_changes(survey), *_standstills(survey)]
    # What the accelerometer felt needs no second opinion to be looked at.
    cues += [Cue(shock.start_seconds, "telemetry", SHOCK_SCORE * shock.score) for shock in shocks]
    return ranked(cues)


def ranked(cues: list[Cue]) -> list[Cue]:
    """The cues with the scores of their neighbours of other kinds added, strongest first."""
    in_time = sorted(cues, key=lambda cue: (cue.seconds, cue.kind))
    seconds = np.array([cue.seconds for cue in in_time])
    totals = []
    for cue in in_time:
        first, last = np.searchsorted(seconds, [cue.seconds - SAME_EVENT_SECONDS, cue.seconds + SAME_EVENT_SECONDS])
        best: dict[str, float] = {cue.kind: cue.score}
        for near in in_time[first:last]:
            if near.kind != cue.kind:
                best[near.kind] = max(best.get(near.kind, 0.0), near.score)
        totals.append(Cue(cue.seconds, cue.kind, sum(best.values())))
    return sorted(totals, key=lambda cue: (-cue.score, cue.seconds))


def _bangs(hearing: Hearing) -> list[Cue]:
    found = []
    for first, last in runs(hearing.bang >= BANG_LEAST, join=12):
        peak = first + int(np.argmax(hearing.bang[first : last + 1]))
        found.append(Cue(float(hearing.seconds[first]), "bang", 1.5 * min(float(hearing.bang[peak]), 2.0)))
    return found


def packet_unrest(survey: Survey) -> tuple[Array, Array]:
    """Time and z of how far the largest predicted picture rises over those around, in steps of 0.2 s."""
    chosen = survey.packet_shown & ~survey.packet_keys & (survey.packet_seconds >= 0)
    count = int(survey.duration_seconds / BIN_SECONDS) + 1
    slot = np.clip((survey.packet_seconds[chosen] / BIN_SECONDS).astype(np.int64), 0, count - 1)
    largest = np.zeros(count)
    np.maximum.at(largest, slot, survey.packet_sizes[chosen])
    filled = largest > 0
    middle = np.asarray((np.arange(count) + 0.5) * BIN_SECONDS, np.float64)
    if filled.sum() < AROUND_BINS:
        return middle, np.zeros(count)
    decades = np.interp(middle, middle[filled], np.log10(largest[filled]))
    return middle, robust_z(decades - smooth(decades, AROUND_BINS), floor=SIZE_FLOOR)


def _large_packets(survey: Survey) -> list[Cue]:
    seconds, unrest = packet_unrest(survey)
    found = []
    for first, last in runs(unrest >= SIZE_Z, join=2):
        peak = first + int(np.argmax(unrest[first : last + 1]))
        found.append(Cue(float(seconds[first]), "packet_size", min(float(unrest[peak]) / SIZE_Z, SIZE_MOST) * 0.7))
    return found


def _early_keys(survey: Survey) -> list[Cue]:
    at = np.sort(survey.packet_seconds[survey.packet_keys])
    steps = np.diff(at)
    if steps.size < 3:
        return []
    early = np.flatnonzero(steps < EARLY_KEY_SHARE * np.percentile(steps, 75))
    return [Cue(float(at[index + 1]), "early_keyframe", EARLY_KEY_SCORE) for index in early]


def _changes(survey: Survey) -> list[Cue]:
    """Neighbouring keyframes that are less alike than those of the drive usually are: something happened between."""
    unlike, moving = _unlikeness(survey), _is_moving(survey)
    if moving.sum() < FEWEST_PAIRS:
        return []
    odd = np.flatnonzero(robust_z(unlike, floor=CHANGE_FLOOR, reference=moving) >= CHANGE_Z)
    middle = (survey.key_seconds[1:] + survey.key_seconds[:-1]) / 2
    return [Cue(float(middle[index]), "change", CHANGE_SCORE) for index in odd]


def _unlikeness(survey: Survey) -> Array:
    """1 - correlation of each decoded keyframe with the one before."""
    flat = survey.key_thumbs.reshape(survey.key_seconds.size, -1).astype(np.float64)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-3)
    return np.asarray(1.0 - (flat[1:] * flat[:-1]).sum(axis=1))


def _moved(survey: Survey) -> Array:
    """Mean grey difference of each decoded keyframe to the one before, as a share of the drive's usual."""
    moved = np.abs(np.diff(survey.key_thumbs.astype(np.float64), axis=0)).mean(axis=(1, 2))
    if not moved.size:
        return np.zeros(0)
    # However long the vehicle stands, the usual is that of the drive.
    driving = moved[moved >= MOVING_SHARE * np.percentile(moved, DRIVE_PERCENTILE)]
    return np.asarray(moved / max(float(np.median(driving)), 1e-3))


def _is_moving(survey: Survey) -> NDArray[np.bool_]:
    return np.asarray(_moved(survey) > MOVING_SHARE)


def _standstills(survey: Survey) -> list[Cue]:
    """Where a drive ends: keyframes that changed and then stay alike. The stop began before the first that stays."""
    moved = _moved(survey)
    if moved.size < FEWEST_PAIRS:
        return []
    stops = np.flatnonzero((moved[1:] < STILL_SHARE) & (moved[:-1] >= STILL_SHARE)) + 1
    began = survey.key_seconds[stops - 1]
    return [Cue(float(at), "standstill", STANDSTILL_SCORE) for at in began]
