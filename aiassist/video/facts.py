"""What is told about a file besides events: container facts, time series, missing measurements."""

from __future__ import annotations

import numpy as np

from aiassist.types import Signal, VideoFacts
from aiassist.video.analysis import Analysis
from aiassist.video.damage import damage_over_time, ends_early
from aiassist.video.gather import Gathered
from aiassist.video.hashes import difference_hash
from aiassist.video.impacts import SHAKE_UNIT_Z
from aiassist.video.proximity import NEAR_EXCESS
from aiassist.video.robust import Array
from aiassist.video.signals import signal_from

HASHED_PICTURES = 16
# Measurements that may be missing, as `Measurements.degraded` names them.
NO_DETECTOR, NO_SOUND, TORN = "detector_weights", "audio_track", "damaged_stream"


def facts_of(gathered: Gathered) -> VideoFacts:
    """What the container and the decoder say about the file."""
    counts, record = gathered.counts, gathered.record
    steps = np.array(counts.steps)
    usual = float(np.median(steps)) if steps.size else 0.0
    hashed = np.unique(np.linspace(0, record.count - 1, HASHED_PICTURES).astype(int))
    return VideoFacts(
        container=gathered.container,
        codec=gathered.codec,
        width_px=gathered.width_px,
        height_px=gathered.height_px,
        duration_seconds=round(counts.last_seconds + usual, 3),
        frames_decoded=counts.frames_decoded,
        mean_fps=round(1.0 / float(steps.mean()), 3) if steps.size else 0.0,
        variable_frame_rate=is_variable(steps),
        has_audio=gathered.has_audio_stream,
        decode_errors=counts.decode_errors,
        perceptual_hashes=tuple(difference_hash(record.thumb[index]) for index in hashed),
    )


def is_variable(steps: Array) -> bool:
    """One time stamp in twenty off by a tenth of a step is more than the rounding of a 1 kHz clock."""
    if not steps.size:
        return False
    usual = float(np.median(steps))
    return bool(np.mean(np.abs(steps - usual) > 0.1 * usual + 0.0011) > 0.05)


def signals_of(gathered: Gathered, analysis: Analysis) -> tuple[Signal, ...]:
    """The time series that the screen draws."""
    motion, sound, approach = analysis.motion, analysis.sound, analysis.approach
    rows = [
        ("speed_relative", "1", motion.seconds, analysis.speed.relative, None),
        ("shake_z", "z", motion.seconds, motion.shake_z, SHAKE_UNIT_Z),
        ("jolt_z", "z", motion.seconds, motion.jolt_z, None),
        ("flow_residual", "px", motion.seconds, motion.residual, None),
        ("growth_ahead", "1/s", approach.seconds, approach.excess, NEAR_EXCESS),
        ("cut_score", "1", motion.seconds, analysis.scores, 1.0),
    ]
    if sound is not None:
        rows.append(("audio_rms_z", "z", sound.seconds, sound.rms_z, None))
        rows.append(("audio_flux_z", "z", sound.seconds, sound.flux_z, None))
    if gathered.counts.decode_errors:
        damage = damage_over_time(gathered.counts, motion.seconds)
        rows.append(("decode_errors", "1", motion.seconds, damage, 1.0))
    duration = gathered.counts.last_seconds
    return tuple(
        signal_from(name, unit, at, values, duration_seconds=duration, threshold=threshold)
        for name, unit, at, values, threshold in rows
    )


def degraded_of(gathered: Gathered, analysis: Analysis) -> tuple[str, ...]:
    """Measurements that could not be made as they should."""
    missing = [NO_DETECTOR]
    if analysis.sound is None:
        missing.append(NO_SOUND)
    if gathered.counts.decode_errors or ends_early(gathered.counts.last_seconds, gathered.promised_seconds):
        missing.append(TORN)
    return tuple(missing)
