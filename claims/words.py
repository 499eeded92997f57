"""How times, codes and sizes are said to people. Pure: `now` is passed in."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def span_words(span: timedelta) -> str:
    """Return a length of time in its two largest units at most ("3 d 4 h", "2 h 5 min", "under a minute")."""
    seconds = int(abs(span).total_seconds())
    if seconds < _MINUTE:
        return "under a minute"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
        return f"{hours} h {minutes} min" if minutes and hours < 6 else f"{hours} h"
    days, hours = seconds // _DAY, seconds % _DAY // _HOUR
    return f"{days} d {hours} h" if hours and days < 3 else f"{days} d"


def due_words(due_at: datetime, now: datetime) -> str:
    """Return when something is due ("due in 3 h", "overdue by 25 min")."""
    return f"due in {span_words(due_at - now)}" if due_at > now else f"overdue by {span_words(now - due_at)}"


def ago_words(at: datetime, now: datetime) -> str:
    """Return how long ago something was."""
    return "just now" if now - at < timedelta(minutes=1) else f"{span_words(now - at)} ago"


def code_words(code: str) -> str:
    """Return a code as words ("REAR_END" → "Rear end", "edit_cut" → "Edit cut")."""
    return code.replace("_", " ").replace(".", ": ").strip().lower().capitalize()


def clock_words(seconds: float) -> str:
    """Return a place in a video as a person reads it off a player ("0:04.5", "1:02.0")."""
    tenths = round(max(seconds, 0.0) * 10)
    return f"{tenths // 600}:{tenths % 600 // 10:02d}.{tenths % 10}"


def tick_words(seconds: float, step: float) -> str:
    """Return a place on a time axis, with tenths only where the axis is that fine."""
    return clock_words(seconds) if step < 1 else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def size_words(size_bytes: int) -> str:
    """Return a file size in decimal units, as phones and insurers' portals show it."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1000:.0f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def number_words(value: float) -> str:
    """Return a measured value with three significant digits and no needless zeros."""
    text = f"{value:.3g}"
    if "e" not in text:
        return text
    return f"{value:.0f}" if abs(value) >= 1 else re.sub(r"\.?0+$", "", f"{value:.6f}") or "0"


def percent_words(value: float) -> str:
    """Return a percentage with one decimal only where it has one."""
    rounded = round(value, 1)
    return f"{rounded:.0f}" if rounded == int(rounded) else f"{rounded:.1f}"
