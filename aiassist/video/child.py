"""The decoding child: sets its own limits, reads one file, leaves its result in a private folder.

Run as `python -m aiassist.video.child REQUEST_JSON`; progress shares go to stdout, one per line.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiassist.video.errors import DecodeFailed
from aiassist.video.limits import DecodeLimits
from aiassist.video.sandbox import EXIT_MEMORY, EXIT_REFUSED

OWN_STATUS = Path("/proc/self/status")
MEMORY_LOOK_SECONDS = 0.1


def main(argument: str) -> int:
    """Carries out one request and returns the exit status that `sandbox` reads."""
    request: dict[str, Any] = json.loads(argument)
    limits = DecodeLimits(**request["limits"])
    folder = Path(request["folder"])
    apply_limits(limits)
    threading.Thread(target=end_beyond_memory, args=(limits.resident_bytes,), daemon=True).start()
    try:
        detector = Path(request["detector"]) if request.get("detector") else None
        TASKS[request["task"]](Path(request["path"]), request["demuxer"], folder, limits, detector)
    except DecodeFailed as refusal:
        told = json.dumps({"code": refusal.code, "message": refusal.message})
        (folder / "refusal.json").write_text(told, encoding="utf-8")
        return EXIT_REFUSED
    except MemoryError:
        return EXIT_MEMORY
    return 0


def apply_limits(limits: DecodeLimits) -> None:
    """Lowers this process's own limits; a lower limit that is already set stays."""
    wanted = (
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_AS, limits.address_space_bytes),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, value in wanted:
        _, hard = resource.getrlimit(kind)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (allowed, hard))


def end_beyond_memory(limit_bytes: int) -> None:
    """Ends this process once it held more than the limit: the parent sees that only where there is /proc."""
    while peak_resident_bytes() <= limit_bytes:
        time.sleep(MEMORY_LOOK_SECONDS)
    os._exit(EXIT_MEMORY)


def peak_resident_bytes() -> int:
    """The most memory this process held so far.

    Linux hands `ru_maxrss` of the process that forked on to the program it starts (a worker of 700 MB would make every
    child look as large), so there the kernel's own mark of this address space is read.
    """
    try:
        with OWN_STATUS.open(encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def report_progress(share: float) -> None:
    """Tells the parent how much is done; a parent that is gone ends this process by SIGPIPE or an OSError."""
    os.write(sys.stdout.fileno(), f"{share:.4f}\n".encode("ascii"))


def _probe(path: Path, demuxer: str, folder: Path, limits: DecodeLimits, _detector: Path | None) -> None:
    from aiassist.video.probe import probe_file  # noqa: PLC0415 - the probe must not pay for loading OpenCV

    facts = probe_file(path, demuxer=demuxer, limits=limits)
    _write_json(folder / "result.json", {"probe": facts, "peak_resident_bytes": peak_resident_bytes()})


def _measure(path: Path, demuxer: str, folder: Path, limits: DecodeLimits, weights: Path | None) -> None:
    from aiassist.video.detection import detector_from  # noqa: PLC0415 - only this task needs OpenCV
    from aiassist.video.measure import measure_file  # noqa: PLC0415
    from aiassist.video.wire import write_measurements  # noqa: PLC0415

    detector = detector_from(weights)
    measurements = measure_file(path, demuxer=demuxer, limits=limits, on_progress=report_progress, detector=detector)
    write_measurements(measurements, folder=folder, peak_resident_bytes=peak_resident_bytes())


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


TASKS: dict[str, Callable[[Path, str, Path, DecodeLimits, Path | None], None]] = {"probe": _probe, "measure": _measure}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
