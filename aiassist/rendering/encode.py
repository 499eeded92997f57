"""Writes a rendered clip as an MP4 file: H.264 with a keyframe every second, AAC sound, ready to stream."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from aiassist.rendering.film import film_frames, film_sound, truth_of
from aiassist.rendering.scenario import ClipSpec, Truth
from aiassist.rendering.sound import SAMPLE_HZ, Sound

AUDIO_FRAME = 1024  # samples in one AAC frame
QUALITY_CRF = 24  # about x264's default (23); with the fast preset the file stays under 1 Mbit/s
AUDIO_BITS_PER_SECOND = 96_000

RenderProgress = Callable[[float], None]  # called with the share of the clip that is drawn, 0-1


def render_clip(spec: ClipSpec, path: Path, on_progress: RenderProgress | None = None) -> Truth:
    """Renders `spec` into an MP4 file at `path` (written anew) and returns what is true of it.

    One encoding thread and no wall-clock metadata: the same spec gives the same bytes with the same libraries.
    """
    sound = film_sound(spec)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        video = _video_stream(container, spec)
        audio = None if sound is None else _audio_stream(container)
        written = 0
        for index, picture in enumerate(film_frames(spec)):
            planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, spec.fps)
            container.mux(video.encode(frame))
            if audio is not None and sound is not None:
                written = _write_sound(container, audio, sound, written, until=(index + 1) / spec.fps)
            if on_progress is not None:
                on_progress((index + 1) / spec.frame_count)
        container.mux(video.encode(None))
        if audio is not None and sound is not None:
            _write_sound(container, audio, sound, written, until=float("inf"))
            container.mux(audio.encode(None))
    return truth_of(spec)


def _video_stream(container: av.container.OutputContainer, spec: ClipSpec) -> av.VideoStream:
    stream = container.add_stream("libx264", rate=spec.fps)
    stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "yuv420p"
    stream.codec_context.gop_size = spec.fps
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"preset": "superfast", "crf": str(QUALITY_CRF)}
    return stream


def _audio_stream(container: av.container.OutputContainer) -> av.AudioStream:
    stream = container.add_stream("aac", rate=SAMPLE_HZ, layout="mono")
    stream.codec_context.bit_rate = AUDIO_BITS_PER_SECOND
    return stream


def _write_sound(
    container: av.container.OutputContainer, stream: av.AudioStream, sound: Sound, written: int, *, until: float
) -> int:
    """Encodes the sound up to a time, so that it lies beside its pictures in the file; returns the samples written."""
    end = len(sound) if until == float("inf") else min(len(sound), round(until * SAMPLE_HZ))
    while written < end:
        part = sound[written : written + AUDIO_FRAME]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part[None, :]), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_HZ, written, Fraction(1, SAMPLE_HZ)
        container.mux(stream.encode(frame))
        written += len(part)
    return written
