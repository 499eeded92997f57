"""All measuring stages over one gathered record, in the order in which they depend on each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiassist.types import HazardKind, IntegrityFlag
from aiassist.video.audio import Sound, analyse_sound
from aiassist.video.braking import brake_events, speed_loss
from aiassist.video.bursts import find_bursts
from aiassist.video.bystanders import Jumps, heard_crashes, jumps_of, seen_crashes
from aiassist.video.cuts import around_cuts, cut_scores, find_cuts
from aiassist.video.events import Event
from aiassist.video.gather import Gathered
from aiassist.video.heard import heard_events
from aiassist.video.impacts import Judged, judge_bursts, motion_events
from aiassist.video.integrity import black_flag, cut_flags, frozen_flags, gap_flags
from aiassist.video.loops import loop_flags
from aiassist.video.motion import CameraMotion, camera_motion
from aiassist.video.proximity import Approach, approach_of, near_events
from aiassist.video.robust import Array
from aiassist.video.speed import Speed, speed_of
from aiassist.video.testcard import colour_bars_flag, still_flag
from aiassist.video.viewpoint import View, not_dashcam_flag, view_of


@dataclass(frozen=True)
class Analysis:
    """What all stages found."""

    scores: Array
    motion: CameraMotion
    sound: Sound | None
    approach: Approach
    view: View
    speed: Speed
    loss: Array
    jumps: Jumps
    slow_jumps: Jumps
    judged: tuple[Judged, ...]
    events: list[Event]
    flags: list[IntegrityFlag]


def analyse(gathered: Gathered) -> Analysis:
    """Cuts first, then everything that cuts would falsify; what does not need the motion is measured beside it."""
    record = gathered.record
    scores = cut_scores(record)
    cuts = find_cuts(record, scores)
    excluded = around_cuts(record, cuts)
    with ThreadPoolExecutor(1, thread_name_prefix="measure") as beside:
        hearing = beside.submit(analyse_sound, gathered.samples)
        viewing = beside.submit(view_of, record, excluded)
        looping = beside.submit(loop_flags, record)
        bars = beside.submit(colour_bars_flag, record)
        motion = camera_motion(record, excluded)
        speed = speed_of(record, motion)
        approach = approach_of(record, motion, speed)
    sound, view = hearing.result(), viewing.result()
    loss = speed_loss(motion.seconds, speed)
    judged = judge_bursts(find_bursts(motion, speed), sound, speed_known=speed.known)
    brakes = brake_events(motion.seconds, speed, loss) if view.drives else []
    jumps, slow_jumps = jumps_of(record, motion, view, speed, excluded)
    blows = motion_events(judged)
    own = [event.start_seconds for event in blows if event.hazard is HazardKind.IMPACT]
    events = [*blows, *brakes, *near_events(approach, brakes), *seen_crashes(jumps, record.seconds, own)]
    if sound is not None:
        events += heard_events(sound) + heard_crashes(sound, motion, brakes)
    frozen = frozen_flags(record)
    flags = cut_flags(cuts, frozen) + frozen + looping.result() + gap_flags(record, gathered.counts)
    blocking = (black_flag(record), bars.result(), still_flag(record))
    flags += [flag for flag in blocking if flag is not None]
    if not any(blocking) and (flag := not_dashcam_flag(view)) is not None:
        flags.append(flag)
    return Analysis(scores, motion, sound, approach, view, speed, loss, jumps, slow_jumps, tuple(judged), events, flags)
