"""Draws a text as a QR code: the one file that knows the library for it."""

from __future__ import annotations

import segno


def picture_of(text: str) -> str:
    """Return an SVG as a data address for an image: black on white in both colour schemes, as cameras want it."""
    return str(segno.make(text, error="m", micro=False).svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))
