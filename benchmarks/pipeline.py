"""What measuring a clip costs against decoding it: `python -m benchmarks.pipeline [--seconds 60] [--runs 3]`.

Prints one JSON line. The clip is made here (1080p30 H.264, about 12 Mb/s, with sound) and thrown away afterwards.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
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
        path = write_drive(Path(folder) / "drive.mp4", seconds=options.seconds)
        told = {**figures(path, runs=options.runs, detector=options.detector), "clip_seconds": options.seconds}
    print(json.dumps(told))


def figures(path: Path, *, runs: int, detector: Path | None) -> dict[str, object]:
    """Medians of several runs; processor seconds tell the same on a busy machine."""
    decodes, pipelines, peaks = [], [], []
    for _ in range(runs):
        before = time.process_time()
        decodes.append((decode_only_seconds(path), time.process_time() - before))
        started, used = time.perf_counter(), _children_seconds()
        peaks.append(measure_video_and_cost(path, detector=detector).peak_resident_bytes)
        pipelines.append((time.perf_counter() - started, _children_seconds() - used))
    decode, pipeline = (np.median(np.array(rows), axis=0) for rows in (decodes, pipelines))
    return {
        "detector": detector is not None,
        "decode_only_seconds": round(float(decode[0]), 3),
        "pipeline_seconds": round(float(pipeline[0]), 3),
        "ratio": round(float(pipeline[0] / decode[0]), 3),
        "decode_only_cpu_seconds": round(float(decode[1]), 3),
        "pipeline_cpu_seconds": round(float(pipeline[1]), 3),
        "cpu_ratio": round(float(pipeline[1] / decode[1]), 3),
        "peak_rss_mb": round(max(peaks) / MEBIBYTE, 1),
        "runs": runs,
    }


def _children_seconds() -> float:
    """Processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def decode_only_seconds(path: Path) -> float:
    """Wall time of decoding every picture and doing nothing with it, with the threads that the pipeline uses."""
    started = time.perf_counter()
    with av.open(str(path), format="mov") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = MEASURE_LIMITS.decoder_threads
        for _ in container.decode(stream):
            pass
    return time.perf_counter() - started


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
