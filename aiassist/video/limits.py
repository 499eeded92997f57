"""Caps on what one file may cost; the defaults are what an upload of a dashcam clip can need, with room."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class DecodeLimits:
    """Limits of one decoding child.

    `wall_seconds` and `cpu_seconds` stop the child, `resident_bytes` is watched from inside and outside (700 MB is the
    project's floor), `address_space_bytes` only backs it up: libraries and threads map far more than they touch.
    """

    wall_seconds: float = 600.0
    cpu_seconds: int = 1200
    resident_bytes: int = 680 * MEBIBYTE
    address_space_bytes: int = 4096 * MEBIBYTE
    output_bytes: int = 64 * MEBIBYTE
    open_files: int = 128
    # 4096 x 2304 holds every 4K format; 8K needs more memory for its reference pictures than a child may use.
    max_pixels: int = 4096 * 2304
    max_side_px: int = 8192
    max_duration_seconds: float = 3600.0
    # Frame threads hold one picture each; more than four only cost memory on larger machines.
    decoder_threads: int = 4


PROBE_LIMITS = DecodeLimits(wall_seconds=20.0, cpu_seconds=20)
MEASURE_LIMITS = DecodeLimits()
