"""The container is told by content; everything that is no video container has no demuxer."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from aiassist.video.sniff import demuxer_for, demuxer_for_file
from tests.aiassist.video.clips import street, write_clip

FTYP_MP4 = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 512, b"isom", b"avc1")
FREE_BOX = struct.pack(">I4s", 8, b"free")


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "fps", "demuxer"),
    [
        ("a.mp4", "libx264", "yuv420p", 20, "mov"),
        ("a.mov", "libx264", "yuv420p", 20, "mov"),
        ("a.mkv", "libx264", "yuv420p", 20, "matroska"),
        ("a.webm", "libvpx", "yuv420p", 20, "matroska"),
        ("a.avi", "mjpeg", "yuvj420p", 20, "avi"),
        ("a.ts", "libx264", "yuv420p", 20, "mpegts"),
        ("a.mpg", "mpeg2video", "yuv420p", 25, "mpeg"),
    ],
)
def test_demuxer_for_file_knows_what_cameras_write(
    tmp_path: Path, name: str, codec: str, pixel_format: str, fps: int, demuxer: str
) -> None:
    path = write_clip(tmp_path / name, street(6), codec=codec, pixel_format=pixel_format, fps=fps)
    assert demuxer_for_file(path) == demuxer


def test_demuxer_for_file_goes_by_content_and_not_by_name(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", street(6))
    assert demuxer_for_file(path.rename(tmp_path / "a.mp4")) == "matroska"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x00",
        b"ffconcat version 1.0\nfile other.mp4\n",
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/passwd\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>',
        b"<!doctype html><html><script>alert(1)</script></html>",
        b"%PDF-1.7\n",
        b"PK\x03\x04" + bytes(60),
        b"MZ" + bytes(200),
        b"\x7fELF" + bytes(200),
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200),
        b"GIF89a" + bytes(200),
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"RIFF\x24\x00\x00\x00WEBPVP8 ",
        b"ID3\x04" + bytes(400),
        b"\x00" * 4096,
        b"\x1a\x45\xdf\xa3" + b"\x00" * 100,
    ],
)
def test_demuxer_for_refuses_what_is_no_video(head: bytes) -> None:
    assert demuxer_for(head) is None


def test_demuxer_for_accepts_a_movie_header() -> None:
    assert demuxer_for(FTYP_MP4 + FREE_BOX) == "mov"


@pytest.mark.parametrize("major", [b"heic", b"avif", b"mif1", b"M4A ", b"crx ", b"jp2 "])
def test_demuxer_for_refuses_pictures_and_sound_in_the_same_boxes(major: bytes) -> None:
    header = struct.pack(">I4s4sI4s", 20, b"ftyp", major, 0, major)
    assert demuxer_for(header + FREE_BOX) is None


@pytest.mark.parametrize("size", [0, 8, 12, 17, 4000, 0xFFFFFFFF])
def test_demuxer_for_refuses_a_header_of_impossible_size(size: int) -> None:
    assert demuxer_for(struct.pack(">I", size) + FTYP_MP4[4:] + FREE_BOX) is None


def test_demuxer_for_refuses_rubbish_behind_the_movie_header() -> None:
    assert demuxer_for(FTYP_MP4 + b"\x00\x00\x00\x03\x01\x02\x03\x04") is None


def test_demuxer_for_is_not_fooled_by_a_text_with_a_g_at_every_packet() -> None:
    assert demuxer_for((b"G" + b"a" * 187) * 10) is None
