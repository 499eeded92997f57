"""What measuring a clip costs against decoding it: `python -m benchmarks.pipeline [--seconds 60] [--runs 3]`.

Prints one JSON line. The clip is made here (1080p30 H.264, about 12 Mb/s, with sound) and thrown away afterwards; one
longer than a minute is a minute stored again and again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.video.decoding import measure_video_and_cost
from aiassist.video.limits import MEASURE_LIMITS, MEBIBYTE

WIDTH, HEIGHT, FPS, BIT_RATE = 1920, 1080, 30, 12_000_000
SOUND_RATE = 48_000
PIECE_SECONDS = 60
ZOOM_PER_PICTURE = 0.012
# The scenery repeats after this many pictures with other noise; encoders and flow see new pictures all the time.
CYCLE_PICTURES = 90


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--detector", type=Path, help="the weights that `manage.py fetch_models` installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        piece = write_drive(Path(folder) / "piece.mp4", seconds=min(options.seconds, PIECE_SECONDS))
        whole = repeated(piece, Path(folder) / "drive.mp4", seconds=options.seconds)
        decodes = [_cost(lambda: decode_only(piece)) for _ in range(options.runs)]
        peaks: list[int] = []
        pipelines = [
            _cost(lambda: peaks.append(measure_video_and_cost(whole, detector=options.detector).peak_resident_bytes))
            for _ in range(options.runs)
        ]
    print(json.dumps(_told(options.seconds, decodes, pipelines, peaks)))


def _told(
    seconds: int, decodes: list[tuple[float, float]], pipelines: list[tuple[float, float]], peaks: list[int]
) -> dict[str, float]:
    """Medians over the runs; where the clip is one piece, also how the two compare."""
    decode, decode_cpu = (statistics.median(column) for column in zip(*decodes, strict=True))
    pipeline, pipeline_cpu = (statistics.median(column) for column in zip(*pipelines, strict=True))
    told = {
        "clip_seconds": seconds,
        "decode_only_seconds": round(decode, 3),
        "decode_only_cpu_seconds": round(decode_cpu, 3),
        "decode_only_clip_seconds": min(seconds, PIECE_SECONDS),
        "pipeline_seconds": round(pipeline, 3),
        "pipeline_cpu_seconds": round(pipeline_cpu, 3),
        "times_real_time": round(seconds / pipeline, 2),
        "peak_rss_mb": round(max(peaks) / MEBIBYTE, 1),
        "runs": len(peaks),
    }
    if seconds <= PIECE_SECONDS:
        told |= {"ratio": round(pipeline / decode, 3), "cpu_ratio": round(pipeline_cpu / decode_cpu, 3)}
    return told


def _cost(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds, children included: the wall alone says little on a busy machine."""
    started, used = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - started, sum(os.times()[:4]) - used


def decode_only(path: Path) -> None:
    """Decodes every picture and does nothing with it, with the threads that the pipeline uses."""
    with av.open(str(path), format="mov") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = MEASURE_LIMITS.decoder_threads
        for _ in container.decode(stream):
            pass


def repeated(piece: Path, path: Path, *, seconds: int) -> Path:
    """The piece so many times one after the other that it fills the seconds; coded once, stored often."""
    times = -(-seconds // PIECE_SECONDS)
    if times == 1:
        return piece
    with av.open(str(path), "w") as output, av.open(str(piece)) as first:
        copies = {track.index: output.add_stream_from_template(track) for track in first.streams}
        for number in range(times):
            with av.open(str(piece)) as stored:
                for packet in stored.demux():
                    if packet.dts is None or packet.pts is None:
                        continue
                    later = int(number * PIECE_SECONDS / packet.time_base)
                    packet.pts, packet.dts = packet.pts + later, packet.dts + later
                    packet.stream = copies[packet.stream.index]
                    output.mux(packet)
    return path


def write_drive(path: Path, *, seconds: int) -> Path:
    """Encodes a textured drive with sensor noise and road noise."""
    rng = np.random.default_rng(20)
    scenery = _scenery(rng)
    grain = [rng.normal(0, 2.5, (HEIGHT, WIDTH)).astype(np.int8) for _ in range(7)]
    sound = rng.normal(0, 0.03, SOUND_RATE * seconds).astype(np.float32)
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt, video.bit_rate = WIDTH, HEIGHT, "yuv420p", BIT_RATE
        video.options = {"preset": "veryfast", "g": "60"}
        audio = output.add_stream("aac", rate=SOUND_RATE, layout="mono")
        for number in range(seconds * FPS):
            luma = _view(scenery, number) + grain[number % len(grain)]
            planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
            planes[:HEIGHT] = np.clip(luma, 0, 255)
            output.mux(video.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        output.mux(video.encode(None))
        for first in range(0, sound.size - 1023, 1024):
            frame = av.AudioFrame.from_ndarray(sound[None, first : first + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, first, Fraction(1, SOUND_RATE)
            output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    return path


def _scenery(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Structure of several sizes, as walls, trees and asphalt have it."""
    sizes = ((34, 60), (135, 240), (540, 960))
    layers = [cv2.resize(rng.integers(0, 255, size, np.uint8), (WIDTH, HEIGHT)) for size in sizes]
    return np.asarray(sum(layer.astype(np.float32) for layer in layers) / len(layers), np.uint8)


def _view(scenery: NDArray[np.uint8], number: int) -> NDArray[np.int16]:
    """The scenery from a little nearer every picture, under a sky."""
    zoom = float(np.exp(-ZOOM_PER_PICTURE * (number % CYCLE_PICTURES)))
    shake = 0.8 * np.sin(number * 0.9)
    move = np.array([[zoom, 0, WIDTH / 2 * (1 - zoom)], [0, zoom, HEIGHT / 2 * (1 - zoom) + shake]])
    seen = cv2.warpAffine(scenery, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    seen[: HEIGHT // 4] = 220
    return seen.astype(np.int16)


if __name__ == "__main__":
    main()
