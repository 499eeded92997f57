"""Small clips made for these tests: a textured street that is driven through, encoded in any container."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from itertools import chain
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
WIDTH, HEIGHT = 320, 180
TIME_BASE = Fraction(1, 90_000)
_NOBODY = 65_534


def street(count: int, *, seed: int = 7, rate_per_picture: float = 0.012, start: int = 0) -> list[Image]:
    """Pictures of a drive: rough walls and road that flow away from the middle, under a smooth bright sky."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.integers(0, 255, (60, 107, 3), np.uint8), (1920, 1080), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(rng.integers(0, 255, (360, 640, 3), np.uint8), (1920, 1080), interpolation=cv2.INTER_LINEAR)
    wall = cv2.addWeighted(coarse, 0.5, fine, 0.5, 0)
    noise = np.random.default_rng(seed + 1)
    pictures = []
    for number in range(start, start + count):
        zoom = float(np.exp(-rate_per_picture * number))
        move = np.array([[zoom, 0, 960 * (1 - zoom)], [0, zoom, 540 * (1 - zoom)]])
        seen = cv2.warpAffine(wall, move, (1920, 1080), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        picture = cv2.resize(seen, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        sky = np.linspace(235, 190, 50).astype(np.uint8)[:, None, None]
        picture[:50] = sky
        grain = noise.normal(0, 2, picture.shape)
        pictures.append(np.clip(picture + grain, 0, 255).astype(np.uint8))
    return pictures


def endless_street(position: float, *, seed: int = 7) -> Image:
    """One picture of a drive without end: a wall that repeats along the way, `position` in pictures at usual speed."""
    wall = _endless_wall(seed)
    along = (DEPTH_ROWS * np.log(np.maximum(RADIUS, 1.0)) / np.log(40.0) - position * 2.2).astype(np.float32)
    seen = cv2.remap(wall, ANGLE, along % DEPTH_ROWS, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    seen[:50] = np.linspace(235, 190, 50).astype(np.uint8)[:, None, None]
    return np.asarray(seen, np.uint8)


@cache
def _endless_wall(seed: int) -> Image:
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.integers(0, 255, (24, 48, 3), np.uint8), (720, DEPTH_ROWS), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(rng.integers(0, 255, (96, 192, 3), np.uint8), (720, DEPTH_ROWS), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(coarse, 0.5, fine, 0.5, 0), np.uint8)


DEPTH_ROWS = 400
_ACROSS, _DOWN = np.meshgrid(np.arange(WIDTH) - WIDTH / 2, np.arange(HEIGHT) - HEIGHT / 2)
RADIUS = np.hypot(_ACROSS, _DOWN)
ANGLE = ((np.arctan2(_DOWN, _ACROSS) / (2 * np.pi) + 0.5) * 719).astype(np.float32)


def remuxed(source: Path, path: Path, *, container: str | None = None, sound: bool = True) -> Path:
    """The same coded pictures and sound in another container."""
    with av.open(str(source)) as stored, av.open(str(path), "w", format=container) as output:
        tracks = [*stored.streams.video, *(stored.streams.audio if sound else ())]
        copies = {track.index: output.add_stream_from_template(track) for track in tracks}
        for packet in stored.demux(tracks):
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                output.mux(packet)
    return path


def shifted(picture: Image, right: float, down: float) -> Image:
    """The picture moved as by a blow against the camera."""
    move = np.array([[1.0, 0.0, right], [0.0, 1.0, down]])
    return np.asarray(cv2.warpAffine(picture, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT), np.uint8)


def write_clip(
    path: Path,
    pictures: Iterable[Image],
    *,
    fps: int = 20,
    codec: str = "libx264",
    container: str | None = None,
    stamps: list[float] | None = None,
    sound: NDArray[np.float32] | None = None,
    sound_rate: int = 16_000,
    pixel_format: str = "yuv420p",
    gop: int | None = None,
) -> Path:
    """Encodes pictures (RGB) and, where given, mono sound; `stamps` are the pictures' times in seconds.

    `gop` is the distance of keyframes; this encoder puts none where the scene changes, as cameras do.
    """
    waiting = iter(pictures)
    first = next(waiting)
    with av.open(str(path), "w", format=container) as output:
        video = cast(av.VideoStream, output.add_stream(codec, rate=fps))
        video.height, video.width = first.shape[:2]
        video.pix_fmt = pixel_format
        if codec == "libx264":
            video.options = {"preset": "ultrafast", "crf": "20"}
        if gop is not None:
            video.codec_context.gop_size = gop
        if stamps is not None:
            video.codec_context.time_base = TIME_BASE
        audio = output.add_stream("aac", rate=sound_rate, layout="mono") if sound is not None else None
        if codec == "libsvtav1":
            _open_as_an_ordinary_user(video)
        for number, picture in enumerate(chain([first], waiting)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if stamps is not None:
                frame.pts, frame.time_base = round(stamps[number] / TIME_BASE), TIME_BASE
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if audio is not None and sound is not None:
            _write_sound(output, audio, sound, sound_rate)
    return path


def _open_as_an_ordinary_user(video: av.VideoStream) -> None:
    """SVT-AV1 makes the process a real-time one where it runs as root, and then starves a busy machine for minutes."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(_NOBODY)
    try:
        video.codec_context.open()
    finally:
        os.seteuid(user)


def write_sound_only(path: Path, sound: NDArray[np.float32], rate: int = 16_000) -> Path:
    """A file with a sound track and no picture."""
    with av.open(str(path), "w") as output:
        _write_sound(output, output.add_stream("aac", rate=rate, layout="mono"), sound, rate)
    return path


def _write_sound(
    output: av.container.OutputContainer, audio: av.AudioStream, sound: NDArray[np.float32], rate: int
) -> None:
    for first in range(0, sound.size - 1023, 1024):
        block = np.ascontiguousarray(sound[first : first + 1024], np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
        output.mux(audio.encode(frame))
    output.mux(audio.encode(None))
