"""Opens a file with one forced demuxer; refuses streams whose claimed size nobody should decode. Runs in the child."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av

from aiassist.video.errors import DecodeFailed
from aiassist.video.limits import DecodeLimits

# Bytes and microseconds that a demuxer may read to find the streams: dashcam files name them within the first second.
PROBE_BYTES = 5_000_000
ANALYSE_MICROSECONDS = 5_000_000
DEMUXER_OPTIONS = {
    "protocol_whitelist": "file",
    "probesize": str(PROBE_BYTES),
    "analyzeduration": str(ANALYSE_MICROSECONDS),
    "max_streams": "16",
}


@contextmanager
def opened(path: Path, *, demuxer: str, limits: DecodeLimits) -> Iterator[Any]:
    """Opens the container; raises DecodeFailed when the demuxer cannot make sense of it."""
    # max_pixels holds while the demuxer looks into the streams, before their size can be checked here.
    options = {**DEMUXER_OPTIONS, "max_pixels": str(limits.max_pixels)}
    try:
        container = av.open(str(path), format=demuxer, options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as problem:
        raise DecodeFailed("The file is damaged: its container cannot be opened.") from problem
    with container:
        yield container


def video_stream(container: Any, limits: DecodeLimits) -> Any:
    """Returns the first moving picture of the container, ready to decode; raises DecodeFailed with the reason."""
    # A cover picture of a sound file is a video stream, too, but one that never moves.
    streams = [stream for stream in container.streams.video if not is_attached_picture(stream)]
    if not streams:
        raise DecodeFailed("The file has no video stream.")
    stream = streams[0]
    if stream.codec_context is None:
        raise DecodeFailed("The video is coded in a way that cannot be read here.")
    _check_size(stream.width, stream.height, limits)
    _check_duration(claimed_duration_seconds(container, stream, limits), limits)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = limits.decoder_threads
    stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
    return stream


def is_attached_picture(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def claimed_duration_seconds(container: Any, stream: Any, limits: DecodeLimits) -> float:
    """The longest duration that the file claims, in seconds; 0 when it claims none.

    A header that claims more than is accepted is checked against the container's index, which names every packet.
    """
    of_stream = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    of_container = container.duration / av.time_base if container.duration else 0.0
    claimed = max(of_stream, of_container, 0.0)
    if claimed <= limits.max_duration_seconds:
        return claimed
    return _indexed_seconds(stream) or claimed


def _indexed_seconds(stream: Any) -> float:
    """The time from the first to the last packet of the index; 0 without a useful index."""
    entries = stream.index_entries
    if len(entries) < 2 or not stream.time_base:
        return 0.0
    return float((entries[len(entries) - 1].timestamp - entries[0].timestamp) * stream.time_base)


def promised_seconds(container: Any, stream: Any, limits: DecodeLimits) -> float:
    """How long the pictures should last by the header: the video stream's own word where it gives one."""
    if stream.duration and stream.time_base and stream.duration > 0:
        return min(float(stream.duration * stream.time_base), claimed_duration_seconds(container, stream, limits))
    return claimed_duration_seconds(container, stream, limits)


def codec_name(stream: Any) -> str:
    """The coding's own name, whichever library decodes it ("av1", not "libdav1d")."""
    return str(stream.codec_context.codec.canonical_name)


def _check_size(width: int, height: int, limits: DecodeLimits) -> None:
    """Refuses claimed dimensions before any picture is allocated."""
    if width * height > limits.max_pixels or max(width, height) > limits.max_side_px:
        raise DecodeFailed("The picture is larger than 4K, which is not accepted.")


def _check_duration(duration_seconds: float, limits: DecodeLimits) -> None:
    if duration_seconds > limits.max_duration_seconds:
        raise DecodeFailed(f"The video is longer than {limits.max_duration_seconds / 60:.0f} minutes.")
