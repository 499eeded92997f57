"""Pictures that show the evidence: clean ones for a vision model, annotated ones for people."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from aiassist.types import EvidenceStage, Finding, IntegrityCode, IntegrityFlag
from aiassist.video.events import Event
from aiassist.video.film import FilmPicture, FilmRoll
from aiassist.video.observe import CELL_PX, GRID_COLS, GRID_ROWS, VideoRecord

JPEG_QUALITY = 82
# BGR; readable on road and sky, for colour-blind people told apart by shape (arrow, box), too.
ARROW_COLOUR = (0, 215, 255)
BOX_COLOUR = (255, 160, 0)
TEXT_COLOUR = (255, 255, 255)
STRIP_COLOUR = (24, 24, 24)
STRIP_HEIGHT_PX = 22
ARROW_GAIN = 3.0
MIN_ARROW_PX = 0.3

Image = NDArray[np.uint8]

# What the value of a flag counts.
MEASURES = {
    IntegrityCode.EDIT_CUT: "cut_score",
    IntegrityCode.FROZEN_FRAMES: "repeated_seconds",
    IntegrityCode.LOOPED_SEGMENT: "repeated_seconds",
    IntegrityCode.STATIC_BLACK: "share_of_pictures",
    IntegrityCode.TEST_BARS: "share_of_pictures",
    IntegrityCode.NOT_DASHCAM: "view",
    IntegrityCode.TIMESTAMP_GAP: "gap",
    IntegrityCode.METADATA_MISMATCH: "mismatch",
}


def clean_jpeg(kept: FilmPicture) -> bytes:
    """The picture without any mark."""
    return jpeg_of(kept.bgr())


def evidence_jpeg(event: Event, *, film: FilmRoll, record: VideoRecord | None) -> bytes | None:
    """The picture nearest to the event's peak with flow, region and measure drawn in; None without any picture.

    `record` is None where only sound was measured around the event.
    """
    kept = film.nearest(event.peak_seconds)
    if kept is None:
        return None
    image = kept.bgr()
    if record is not None and event.stage in (EvidenceStage.MOTION, EvidenceStage.PROXIMITY):
        _draw_flow(image, record, event.peak_seconds)
    if event.box is not None:
        _draw_box(image, event.box)
    lines = (
        f"{event.hazard.value}  {event.measure} {event.value:.2f} (threshold {event.threshold:.2f})",
        f"{event.stage.value.lower()} at {event.peak_seconds:.2f} s, picture of {kept.seconds:.2f} s",
    )
    return jpeg_of(_with_strips(image, lines))


def boxed_jpeg(kept: FilmPicture, box: tuple[float, float, float, float], lines: tuple[str, str]) -> bytes:
    """The picture with one region marked (shares of the picture) and two lines under it."""
    image = kept.bgr()
    _draw_box(image, box)
    return jpeg_of(_with_strips(image, lines))


def flag_finding(flag: IntegrityFlag, *, film: FilmRoll) -> Finding:
    """The evidence item of an integrity flag, with the picture of its time (a splice shows before and after)."""
    start = flag.start_seconds or 0.0
    end = flag.end_seconds if flag.end_seconds is not None else film.last_seconds
    lines = (
        f"{flag.code.value} {flag.value:.2f} (threshold {flag.threshold:.2f})",
        f"integrity at {start:.2f} s",
    )
    jpeg = _pair_jpeg(film, start, lines) if flag.code is IntegrityCode.EDIT_CUT else marked_jpeg(film, start, lines)
    return Finding(
        kind=flag.code.value,
        stage=EvidenceStage.INTEGRITY,
        measure=MEASURES[flag.code],
        value=flag.value,
        threshold=flag.threshold,
        start_seconds=start,
        end_seconds=round(end, 3),
        at_seconds=start,
        keyframe_jpeg=jpeg,
    )


def marked_jpeg(film: FilmRoll, seconds: float, lines: tuple[str, str]) -> bytes | None:
    """The picture nearest to a time above two lines of text; None without any picture."""
    kept = film.nearest(seconds)
    return None if kept is None else jpeg_of(_with_strips(kept.bgr(), lines))


def _pair_jpeg(film: FilmRoll, seconds: float, lines: tuple[str, str]) -> bytes | None:
    """The pictures on both sides of a splice, side by side."""
    before, after = film.around(seconds)
    if before is None or after is None:
        return marked_jpeg(film, seconds, lines)
    one = cv2.resize(before.bgr(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    # The size may change at the very splice.
    other = cv2.resize(after.bgr(), (one.shape[1], one.shape[0]), interpolation=cv2.INTER_AREA)
    halves = [one, other]
    return jpeg_of(_with_strips(np.asarray(np.hstack(halves), np.uint8), lines))


def jpeg_of(image: Image) -> bytes:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(encoded.tobytes())


def _draw_flow(image: Image, record: VideoRecord, seconds: float) -> None:
    """Arrows of the measured flow, three times as long as the movement between two pictures."""
    index = int(np.argmin(np.abs(record.seconds - seconds)))
    height, width = image.shape[:2]
    across, down = width / GRID_COLS, height / GRID_ROWS
    flow = record.flow[index].astype(np.float64)
    for row in range(1, GRID_ROWS, 2):
        for column in range(1, GRID_COLS, 2):
            dx, dy = flow[row, column]
            if np.hypot(dx, dy) < MIN_ARROW_PX:
                continue
            start = (round((column + 0.5) * across), round((row + 0.5) * down))
            end = (
                round(start[0] + dx * ARROW_GAIN * across / CELL_PX),
                round(start[1] + dy * ARROW_GAIN * down / CELL_PX),
            )
            cv2.arrowedLine(image, start, end, ARROW_COLOUR, 1, cv2.LINE_AA, tipLength=0.3)


def _draw_box(image: Image, box: tuple[float, float, float, float]) -> None:
    height, width = image.shape[:2]
    corner = (round(box[0] * width), round(box[1] * height))
    opposite = (round(box[2] * width) - 1, round(box[3] * height) - 1)
    cv2.rectangle(image, corner, opposite, BOX_COLOUR, 2)


def _with_strips(image: Image, lines: tuple[str, str]) -> Image:
    """The picture under two strips of text: beside it, so that nothing of the scene is hidden."""
    width = image.shape[1]
    strip = np.full((STRIP_HEIGHT_PX * len(lines), width, 3), STRIP_COLOUR, np.uint8)
    for number, line in enumerate(lines):
        baseline = STRIP_HEIGHT_PX * number + 16
        cv2.putText(strip, line, (6, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.42, TEXT_COLOUR, 1, cv2.LINE_AA)
    return np.asarray(np.vstack([image, strip]), np.uint8)
