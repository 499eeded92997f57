"""NMEA 0183: the recommended minimum sentence (RMC) of any satellite system, parsed strictly; all else is no fix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

KMH_PER_KNOT = 1.852
# A road vehicle is slower; a receiver without sky says anything.
MOST_SPEED_KMH = 400.0
MAX_SENTENCE_CHARS = 120
# Some cameras leave the dollar sign away; no letter may stand before the sentence then.
SENTENCE = re.compile(
    r"(?:\$|(?<![A-Z0-9]))(?P<body>(?:GP|GN|GL|GA|GB|BD)RMC,"
    r"(?P<time>\d{6}(?:\.\d{1,3})?),(?P<status>[AV]),"
    r"(?P<lat>\d{4}\.\d{1,8})?,(?P<ns>[NS])?,(?P<lon>\d{5}\.\d{1,8})?,(?P<ew>[EW])?,"
    r"(?P<knots>\d{1,4}(?:\.\d{1,4})?)?,(?:\d{1,3}(?:\.\d{1,4})?)?,(?P<date>\d{6})?"
    r"(?:,[0-9A-Za-z.]{0,8}){0,4})(?:\*(?P<check>[0-9A-Fa-f]{2}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Fix:
    """One believed position. `checked` is None where the sentence carries no checksum."""

    unix_seconds: float
    speed_kmh: float | None
    latitude: float
    longitude: float
    checked: bool | None


def fixes_in(text: str) -> list[Fix]:
    """Every valid fix of a piece of text, in its order."""
    return [fix for found in SENTENCE.finditer(text) if (fix := _fix(found)) is not None]


def trusted(fixes: list[Fix]) -> list[bool]:
    """Which fixes to believe: a wrong checksum is damage, except from cameras that never compute it right."""
    right = sum(fix.checked is True for fix in fixes)
    wrong = sum(fix.checked is False for fix in fixes)
    return [right < wrong or fix.checked is not False for fix in fixes]


def _fix(found: re.Match[str]) -> Fix | None:
    """None without a valid position, date and time."""
    if len(found["body"]) > MAX_SENTENCE_CHARS or found["status"] != "A" or not found["date"]:
        return None
    latitude, longitude = _degrees(found["lat"], found["ns"], 2), _degrees(found["lon"], found["ew"], 3)
    moment = _unix_seconds(found["date"], found["time"])
    if latitude is None or longitude is None or moment is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    speed = float(found["knots"]) * KMH_PER_KNOT if found["knots"] else None
    if speed is not None and speed > MOST_SPEED_KMH:
        return None
    return Fix(moment, speed, latitude, longitude, _checked(found["body"], found["check"]))


def _degrees(value: str | None, side: str | None, digits: int) -> float | None:
    """Degrees and minutes in one number, as NMEA writes them."""
    if value is None or side is None:
        return None
    minutes = float(value[digits:])
    if minutes >= 60:
        return None
    degrees = int(value[:digits]) + minutes / 60
    return -degrees if side in "SW" else degrees


def _unix_seconds(date: str, time: str) -> float | None:
    try:
        whole = datetime.strptime(date + time[:6], "%d%m%y%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return whole.timestamp() + float("0" + time[6:])


def _checked(body: str, told: str | None) -> bool | None:
    if told is None:
        return None
    check = 0
    for letter in body.encode("ascii"):
        check ^= letter
    return check == int(told, 16)
