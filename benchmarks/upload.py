"""A 100 MB upload against Django's own multipart parser: `python -m benchmarks.upload [--megabytes 100] [--runs 5]`.

Both run in a real gunicorn, take the same request in turn, hash and write; the product also authenticates, sniffs,
probes in a child process, stores, and commits claim, job and audit. Prints one JSON line with medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import tempfile
import time
from pathlib import Path

from benchmarks.web import Server, ground, make_key, serving

BOUNDARY = "benchmark-frontier"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with ground(), tempfile.TemporaryDirectory() as folder:
        _, key = make_key()
        clip = _clip(Path(folder) / "clip.mp4")
        with serving("benchmarks.plain_upload:application") as plain, serving("config.wsgi:application") as product:
            told = _measure(plain, product, key, clip, options.megabytes, options.runs)
    print(json.dumps(told))


def _measure(plain: Server, product: Server, key: str, clip: bytes, megabytes: int, runs: int) -> dict[str, object]:
    # Warm: imports, connections, the first claim.
    _seconds(plain, "/", _form(clip, 1, "warm"), key)
    _seconds(product, "/api/v1/claims/upload", _form(clip, 1, "warm"), key)
    before = product.memory_mb()
    plain_seconds, product_seconds = [], []
    for run in range(runs):
        body = _form(clip, megabytes, f"run-{run}")
        plain_seconds.append(_seconds(plain, "/", body, key))
        product_seconds.append(_seconds(product, "/api/v1/claims/upload", body, key))
    plain_median, product_median = statistics.median(plain_seconds), statistics.median(product_seconds)
    return {
        "megabytes": megabytes,
        "runs": runs,
        "django_seconds": round(plain_median, 3),
        "upload_seconds": round(product_median, 3),
        "ratio": round(product_median / plain_median, 3),
        "memory_growth_mb": round(product.memory_mb() - before, 1),
    }


def _seconds(server: Server, path: str, body: bytes, key: str) -> float:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "X-API-Key": key}
    started = time.perf_counter()
    server.call("POST", path, body, headers)
    return time.perf_counter() - started


def _form(clip: bytes, megabytes: int, number: str) -> bytes:
    """Return a form whose video is the clip and a `free` box of noise, which players skip."""
    padding = os.urandom(megabytes * 1024 * 1024 - len(clip) if megabytes > 1 else 1024)
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="claim_number"\r\n\r\n{number}\r\n'.encode(),
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="video"; filename="drive.mp4"\r\n\r\n'.encode(),
        clip,
        struct.pack(">I4s", len(padding) + 8, b"free"),
        padding,
        f"\r\n--{BOUNDARY}--\r\n".encode(),
    ]
    return b"".join(parts)


def _clip(path: Path) -> bytes:
    """Return two seconds of H.264 that really play."""
    import av  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    noise = np.random.default_rng(7)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(20):
            picture = noise.integers(0, 255, (180, 320, 3), dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
    return path.read_bytes()


if __name__ == "__main__":
    main()
