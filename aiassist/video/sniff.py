"""Recognises a video container by its first bytes and names the one demuxer that may open it.

FFmpeg's own probing opens playlists and `ffconcat` scripts, which then open other files; a forced demuxer cannot.
"""

from __future__ import annotations

import struct
from pathlib import Path

# Enough for five MPEG-TS packets of 204 bytes, for any ftyp box and for an EBML header.
SNIFF_BYTES = 4096

# ISO/IEC 14496-12 and the MP4 registration authority: brands of moving pictures with sound. Still-picture brands
# (heic, avif, mif1, jp2 …) and audio-only ones (M4A, M4B) are missing on purpose.
MOVIE_BRANDS = frozenset(
    b"isom iso2 iso3 iso4 iso5 iso6 iso7 iso8 iso9 isoa isob isoc mp41 mp42 mp71 avc1 hvc1 hev1 av01 dash msdh msix "
    b"cmfc cmf2 MSNV NDSC NDSM NDSH NDXC NDXM NDXH XAVC mmp4 3gp4 3gp5 3gp6 3gp7 3gp8 3gp9 3ge6 3ge7 3gg6 3gh9 3gr6 "
    b"3gs6 3gs7 3g2a 3g2b 3g2c niko pana CAEP".split()
) | {b"qt  ", b"M4V ", b"M4VH", b"M4VP", b"F4V ", b"f4v "}
NOT_MOVIE_MAJORS = frozenset(b"heic heix heim heis hevc hevx mif1 msf1 avif avis jpeg crx".split()) | {
    b"jp2 ",
    b"jpm ",
    b"jpx ",
    b"M4A ",
    b"M4B ",
    b"M4P ",
}
TRANSPORT_PACKET_BYTES = (188, 192, 204)
MIN_TRANSPORT_PACKETS = 5


def demuxer_for_file(path: Path) -> str | None:
    """Reads the head of a file and returns the FFmpeg demuxer to force, or None when it is no known video container."""
    with path.open("rb") as stream:
        return demuxer_for(stream.read(SNIFF_BYTES))


def demuxer_for(head: bytes) -> str | None:
    """Returns "mov", "matroska", "avi", "mpegts" or "mpeg" by content alone, or None (text, playlists, pictures …)."""
    if _is_iso_movie(head):
        return "mov"
    if _is_matroska(head):
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:4] == b"\x00\x00\x01\xba":
        return "mpeg"
    if _is_transport_stream(head):
        return "mpegts"
    return None


def _is_iso_movie(head: bytes) -> bool:
    """True for a leading `ftyp` box with a movie brand that is followed by a box with a sane header (or by nothing)."""
    if len(head) < 16 or head[4:8] != b"ftyp":
        return False
    size = struct.unpack(">I", head[:4])[0]
    if size < 16 or size > 1024 or size % 4 or size > len(head):
        return False
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, size, 4))}
    if major in NOT_MOVIE_MAJORS or not brands & MOVIE_BRANDS:
        return False
    return _is_box_header(head[size : size + 16])


def _is_box_header(header: bytes) -> bool:
    """True when these bytes may begin a box: printable type, size 0 (to the end), 1 (64 bit follows) or >= 8."""
    if len(header) < 8:
        return not header
    size, kind = struct.unpack(">I4s", header[:8])
    return (size in (0, 1) or size >= 8) and all(0x20 <= byte <= 0x7E or byte == 0xA9 for byte in kind)


def _is_matroska(head: bytes) -> bool:
    """True for an EBML header whose document type (element 0x4282) is matroska or webm."""
    if head[:4] != b"\x1a\x45\xdf\xa3":
        return False
    at = head.find(b"\x42\x82", 4, 256)
    if at < 0 or at + 3 > len(head):
        return False
    length = head[at + 2] & 0x7F
    return head[at + 3 : at + 3 + length].rstrip(b"\x00") in (b"matroska", b"webm")


def _is_transport_stream(head: bytes) -> bool:
    """True when the sync byte 0x47 returns at every packet (188 bytes, 192 with time code, 204 with parity)."""
    for packet_bytes in TRANSPORT_PACKET_BYTES:
        first = packet_bytes - 188 if packet_bytes == 192 else 0
        marks = head[first::packet_bytes]
        if len(marks) >= MIN_TRANSPORT_PACKETS and set(marks) == {0x47}:
            # 0x47 is the letter G: a text with a G in every 188th place has no NUL and no 0xFF (stuffing) byte.
            return b"\x00" in head or b"\xff" in head
    return False
