"""Named scalars of one clip for the learned models. `measure` documents the names; here are those of a jolt's kind:

impact_first_nod_px   first clear jolt up or down (positive: the picture moves down, the camera is thrown back)
impact_rocking        1 for a slow rocking of the body, 0 for a fast ringing of the mount
impact_loudness_rise  loudness over the half second before the candidate, in decades (20 dB each)
impact_loudness       loudness itself, in decades over -80 dBFS; 0 without sound
impact_hiss_rise      how far the bands over 700 Hz rise, in decades: metal and glass, not thumps
"""

from __future__ import annotations

import math

import numpy as np

from aiassist.types import HazardKind
from aiassist.video.analysis import Analysis
from aiassist.video.gather import Gathered
from aiassist.video.heard import bang_strength, high_rise, loudness_rise
from aiassist.video.impacts import Judged

BEFORE_IMPACT_SECONDS = 2.0
LOUD_SECONDS = (0.1, 0.35)
MOVING_SUPPORT = 0.25
NOTHING_BEFORE = {"time_to_contact_before_impact_seconds": 20.0, "growth_before_impact": 0.0}


def features_of(gathered: Gathered, analysis: Analysis) -> dict[str, float]:
    """All features, finite and rounded to six digits."""
    best = max(analysis.judged, key=lambda item: item.impact_value, default=None)
    features = _whole_clip(gathered, analysis) | _impact(best) | _loudness(analysis, best)
    features |= _before_impact(analysis, best)
    return {name: round(value, 6) if math.isfinite(value) else 0.0 for name, value in features.items()}


def _whole_clip(gathered: Gathered, analysis: Analysis) -> dict[str, float]:
    motion, approach, sound = analysis.motion, analysis.approach, analysis.sound
    record = gathered.record
    driving = analysis.view.driving
    return {
        "max_jolt_z": float(motion.jolt_z.max()),
        "max_jolt_px": float(motion.jolt_px.max()),
        "max_shake_z": float(motion.shake_z.max()),
        "max_shake_px": float(motion.shake.max()),
        "usual_shake_px": float(np.median(motion.shake)),
        "usual_jolt_px": float(np.median(motion.jolt_px)),
        "jolt_count": float(len(analysis.judged)),
        "bang_strength": float(bang_strength(sound).max()) if sound is not None else 0.0,
        "horn_seconds": _heard_seconds(analysis, HazardKind.HORN),
        "skid_seconds": _heard_seconds(analysis, HazardKind.SKID),
        "min_time_to_contact_seconds": float(approach.time_to_contact().min()),
        "max_growth_per_second": float(approach.growth.max()),
        "max_excess_growth": float(approach.excess.max()),
        "max_speed_loss": float(analysis.loss.max()),
        "usual_ground_flow": float(np.percentile(analysis.speed.ground, 75)),
        "speed_known": float(analysis.speed.known),
        "moving_share": float(np.mean(driving >= MOVING_SUPPORT)) if driving.size else 0.0,
        "third_party_jump_z": float(analysis.jumps.z.max()),
        "has_sound": float(sound is not None),
        "mean_luma": analysis.view.mean_luma,
        "usual_flow_failure": float(np.median(record.flow_failure)),
    }


def _heard_seconds(analysis: Analysis, kind: HazardKind) -> float:
    return sum((event.end_seconds - event.start_seconds for event in analysis.events if event.hazard is kind), 0.0)


def _impact(best: Judged | None) -> dict[str, float]:
    """The strongest impact candidate."""
    burst = best.burst if best is not None else None
    return {
        "impact_seconds": best.onset_seconds if best else -1.0,
        "impact_value": best.impact_value if best else 0.0,
        "impact_shake_z": burst.shake_z if burst else 0.0,
        "impact_shake_px": burst.shake_px if burst else 0.0,
        "impact_jolt_z": burst.peak_z if burst else 0.0,
        "impact_jolt_px": burst.peak_px if burst else 0.0,
        "impact_energy_px2": burst.energy_px2 if burst else 0.0,
        "impact_duration_seconds": burst.end_seconds - burst.start_seconds if burst else 0.0,
        "impact_vertical_share": burst.vertical_share if burst else 0.0,
        "impact_roll_share": burst.roll_share if burst else 0.0,
        "impact_sideways_px": burst.sideways_px if burst else 0.0,
        "impact_scale_kick_px": burst.scale_kick_px if burst else 0.0,
        "impact_first_nod_px": burst.first_nod_px if burst else 0.0,
        "impact_rocking": burst.rocking if burst else 0.0,
        "impact_speed_before": burst.speed_before if burst else 0.0,
        "impact_speed_after": burst.speed_after if burst else 0.0,
        "impact_speed_change_ratio": burst.speed_change if burst else 0.0,
        "impact_bang_strength": best.bang if best else 0.0,
    }


def _loudness(analysis: Analysis, best: Judged | None) -> dict[str, float]:
    """How loud the candidate is: over what was heard before it (decades), and by itself (decades over -80 dBFS)."""
    names = ("impact_loudness_rise", "impact_loudness", "impact_hiss_rise")
    sound = analysis.sound
    if best is None or sound is None:
        return dict.fromkeys(names, 0.0)
    start, end = best.onset_seconds - LOUD_SECONDS[0], best.onset_seconds + LOUD_SECONDS[1]
    near = (sound.seconds >= start) & (sound.seconds <= end)
    if not near.any():
        return dict.fromkeys(names, 0.0)
    rise = loudness_rise(sound)
    level = float(np.log10(max(float(sound.rms[near].max()), 1e-4))) + 4.0
    high = high_rise(sound)
    return dict(zip(names, (float(rise[near].max()), level, float(high[near].max())), strict=True))


def _before_impact(analysis: Analysis, best: Judged | None) -> dict[str, float]:
    """How fast something came nearer before the candidate."""
    if best is None:
        return dict(NOTHING_BEFORE)
    start = best.burst.start_seconds
    seconds = analysis.approach.seconds
    before = (seconds >= start - BEFORE_IMPACT_SECONDS) & (seconds <= start - 0.05)
    if not before.any():
        return dict(NOTHING_BEFORE)
    return {
        "time_to_contact_before_impact_seconds": float(analysis.approach.time_to_contact()[before].min()),
        "growth_before_impact": float(analysis.approach.excess[before].max()),
    }
