"""The quick look at an upload: what the container says, and proof that one picture decodes. Runs in the child."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from aiassist.video.container import claimed_duration_seconds, codec_name, opened, video_stream
from aiassist.video.errors import DecodeFailed
from aiassist.video.limits import DecodeLimits
from aiassist.video.upright import turn_of

# A file whose first 600 packets (20 s at 30 fps) hold no decodable picture is no usable claim video.
MAX_PROBE_PACKETS = 600


def probe_file(path: Path, *, demuxer: str, limits: DecodeLimits) -> dict[str, object]:
    """Returns the facts that `VideoProbe` carries; raises DecodeFailed when no picture decodes."""
    with opened(path, demuxer=demuxer, limits=limits) as container:
        stream = video_stream(container, limits)
        width, height = _first_picture(container, stream)
        rate = stream.average_rate or stream.guessed_rate
        return {
            "container": demuxer,
            "codec": codec_name(stream),
            "width_px": width,
            "height_px": height,
            "duration_seconds": round(claimed_duration_seconds(container, stream, limits), 3),
            "mean_fps": round(float(rate), 3) if rate else 0.0,
            "has_audio": any(audio.codec_context is not None for audio in container.streams.audio),
        }


def _first_picture(container: Any, stream: Any) -> tuple[int, int]:
    """Decodes up to the first whole picture and returns its size as shown."""
    stream.thread_type = "SLICE"  # frame threads would wait for several packets before the first picture comes
    try:
        for count, packet in enumerate(container.demux(stream)):
            for frame in _pictures(packet):
                return turn_of(frame).size(frame.width, frame.height)
            if count >= MAX_PROBE_PACKETS:
                break
    except av.error.FFmpegError as problem:
        raise DecodeFailed("The file is damaged: no picture of it can be decoded.") from problem
    raise DecodeFailed("No picture of the file can be decoded.")


def _pictures(packet: Any) -> list[Any]:
    """The pictures of one packet; none when the packet is damaged, the next one may be whole."""
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        return []
