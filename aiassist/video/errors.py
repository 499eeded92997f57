"""What can go wrong between a file and its measurements; every code is stable and safe to show."""

from __future__ import annotations

from observability.errors import Unavailable, UnusableContent


class DecodeFailed(UnusableContent):
    """The file is no video that can be decoded here; the message says why in words of ours, never of the file."""

    code = "unreadable_video"
    message = "The file is not a video that can be read."


class DecodeTimeout(DecodeFailed):
    """Decoding took longer than the limit and was stopped."""

    code = "decode_timeout"
    message = "Reading the video took too long and was stopped."


class DecodeOutOfMemory(DecodeFailed):
    """Decoding needed more memory than the limit and was stopped."""

    code = "decode_out_of_memory"
    message = "Reading the video needs more memory than allowed."


class MachineBusy(Unavailable):
    """The clock ran out while the machine had no time for the decoder: that says nothing about the file."""

    code = "machine_busy"
    message = "The machine was too busy to read the video; try again later."
