"""The one masker: structured personal data and secrets become placeholders in logs, Sentry, alerts and dead letters.

Names are invisible to patterns, so free text is never logged. Every pattern is anchored or possessive, so matching is
linear, and the length is capped first all the same: a masker that hangs on hostile input is a way to stop the service.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

# A traceback tells most at both ends; the middle is cut.
_HEAD_CHARACTERS = 6_144
_TAIL_CHARACTERS = 2_048
_LONGEST_TEXT = _HEAD_CHARACTERS + _TAIL_CHARACTERS
_LONGEST_TORN_WORD = 256
_DEEPEST = 12
_WIDEST = 200
# Payment card numbers have at most 19 digits (ISO/IEC 7812); below 12 none is issued.
_SMALLEST_CARD_LIKE_NUMBER = 10**11
# Norway's, of the register of ISO 13616.
_SHORTEST_IBAN = 15

# Shapes that look like numbers of people but are not: UUID, digest, time, decimal. They are matched first and kept.
_KEPT = (
    r"(?<![\w-])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![\w-])"
    r"|(?<!\w)[0-9a-fA-F]{32,128}(?!\w)"
    r"|(?<![\d.-])(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])"
    r"|(?<![\w.-])-?\d{1,18}\.\d{1,20}(?:[eE][+-]?\d{1,3})?(?!\w|[.-]\d)"
)


def _luhn(digits: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# First digits and lengths of the card schemes (ISO/IEC 7812 issuer ranges): what else passes Luhn is some counter.
_CARD_SCHEMES = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|6\d{15,18}"
    r"|(?:2131|1800)\d{11}|35\d{14}|(?:5[0678]|6\d)\d{10,17}",
    re.ASCII,
)


def _mask_card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match["hit"] or "")
    return "[card]" if _CARD_SCHEMES.fullmatch(digits) and _luhn(digits) else match[0]


def _mask_iban(match: re.Match[str]) -> str:
    """Replace what passes the checksum of ISO 13616 (modulo 97)."""
    text = (match["hit"] or "").replace(" ", "").upper()
    if len(text) < _SHORTEST_IBAN:
        return match[0]
    number = "".join(str(int(character, 36)) for character in text[4:] + text[:4])
    return "[iban]" if int(number) % 97 == 1 else match[0]


def _mask_ipv6(match: re.Match[str]) -> str:
    try:
        ipaddress.IPv6Address(match[0])
    except ValueError:
        return match[0]
    return "[ip]" if match[0] != "::" else match[0]


def _mask_phone(match: re.Match[str]) -> str:
    hit = match["hit"]
    if hit is None:
        return match[0]
    digits = sum(character.isdigit() for character in hit)
    # Seven digits are the shortest subscriber number in use; more than E.164's fifteen are two numbers side by side.
    return "[phone]" if digits >= 7 else match[0]


_CLASSIFIED_WORDS = (
    r"pass(?:word|wd|phrase)?|pwd|secret(?:_?key)?|(?:access_?|refresh_?|auth_?|csrf_?|lease_?)?token|authorization"
    r"|(?:set_?)?cookie|(?:x_?)?api_?key|private_?key|signing_?key|session(?:_?id|_?key)?|csrf(?:middleware)?(?:token)?"
    r"|credentials?|dsn"
)
_PERSONAL_WORDS = (
    r"e_?mail(?:_?address)?|(?:tele)?phone(?:_?number)?|mobile|ssn|card(?:_?number)?|iban|plate|vehicle_plate|claimant"
    r"|description|reasoning|(?:postal_?|ip_?|street_?)?address|birth_?date|date_of_birth|ip"
)
_TELLING_NAME = re.compile(rf"(?:^|_)(?:{_CLASSIFIED_WORDS}|{_PERSONAL_WORDS})(?:$|_(?:hash|value|raw|text)$)")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

_Replacement = str | Callable[[re.Match[str]], str]
_PATTERNS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (re.compile(r"\bclm_(?:live|test)_[0-9A-Za-z]++"), "[api-key]"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{16,}+"), "[api-key]"),
    (re.compile(r"\beyJ[\w-]{8,}+\.[\w-]++(?:\.[\w-]*+)?", re.ASCII), "[token]"),
    (re.compile(r"\b(Bearer|Basic)\s{1,3}[\w.~+/=-]{8,}+", re.IGNORECASE), r"\1 [token]"),
    (re.compile(r"(?<=://)[^/\s:@]{0,200}+:[^/\s@]{1,200}+(?=@)"), "[credentials]"),
    (
        re.compile(
            rf"(?<![a-z0-9])({_CLASSIFIED_WORDS})(['\"]?\s{{0,3}}(?:=|:|=>)\s{{0,3}}b?['\"]?)(?!\[)[^\s'\",;&}})]{{2,}}+",
            re.IGNORECASE,
        ),
        r"\1\2[masked]",
    ),
    (re.compile(r"(?<![\w.+'-])[\w.+'-]++(?:@|%40)[\w-]++(?:\.[\w-]++)+", re.IGNORECASE), "[email]"),
    (
        re.compile(
            rf"{_KEPT}|(?<![A-Za-z0-9])"
            r"(?P<hit>[A-Za-z]{2}\d\d(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?)(?![A-Za-z0-9])"
        ),
        _mask_iban,
    ),
    (re.compile(r"(?<!\d)(?<!\d-)(\d{3})([- ])\d\d\2\d{4}(?!\d)(?!-\d)", re.ASCII), "[ssn]"),
    (re.compile(rf"{_KEPT}|(?<![\w.])(?<!\d-)(?P<hit>\d(?:[ -]?\d){{11,18}})(?!\w|[-.]\d)", re.ASCII), _mask_card),
    (re.compile(rf"(?<![\d.])(?:{_OCTET}\.){{3}}{_OCTET}(?!\d|\.\d)", re.ASCII), "[ip]"),
    (re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}(?:[0-9a-fA-F]{1,4}|(?<=::))(?![\w:])"), _mask_ipv6),
    (
        re.compile(
            rf"{_KEPT}|(?<![\w.])(?<![A-Z0-9][-/])(?P<hit>(?:"
            # abroad: +46 (0)8 928 571 38, 001-518-640-0854; an extension may follow everywhere
            r"(?:\+|00)[1-9]\d{0,14}(?:[ ./-]{0,2}\(\d{1,5}\)[ .-]?\d{1,5}|[ ./-]{1,2}\d{1,5}){0,6}"
            # an area code in brackets: (579)888-3058, (08) 8747 6301
            r"|\(\d{2,5}\)[ ./-]{0,2}\d{2,5}(?:[ .-]?\d{2,5}){0,3}"
            # three groups or more: 905-674-3793, 0490 75 40 81, 03.93.92.16.85
            r"|\d{2,5}(?:(?:[ ]\d{2,5}){2,4}|(?:-\d{2,5}){2,4}|(?:\.\d{2,5}){2,4})"
            # two groups: a trunk prefix (0393 1144137) or a North American local number (467 3395)
            r"|0\d{2,4}[ /-]\d{5,8}|[2-9]\d\d[ -]\d{4}"
            r")(?:x\d{1,6})?)(?!\w|[.:/-]\d)",
            re.ASCII,
        ),
        _mask_phone,
    ),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029]")


def mask_text(text: str) -> str:
    """Return the text, cut to 8,192 characters, with structured personal data and secrets replaced."""
    masked = text if len(text) <= _LONGEST_TEXT else _cut(text)
    for pattern, replacement in _PATTERNS:
        masked = pattern.sub(replacement, masked)
    return masked


def one_line(text: str) -> str:
    """Return the text without characters that forge log lines or drive a terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\n", "\\n"))


def mask_value(value: object, *, depth: int = 0) -> object:
    """Return the value with every text in it masked and every field with a telling name replaced."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, bool | float | None | UUID | Decimal | date | time | timedelta):
        return value
    if isinstance(value, int):
        return value if -_SMALLEST_CARD_LIKE_NUMBER < value < _SMALLEST_CARD_LIKE_NUMBER else _mask_whole(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return "[bytes]"
    if depth >= _DEEPEST:
        return "[deep]"
    if isinstance(value, Mapping):
        return _mask_mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return _mask_items(value, depth)
    return mask_text(str(value))


def name_is_telling(name: str) -> bool:
    """Whether a field of this name (``X-API-Key``, ``email``) holds a secret or personal data, however it looks."""
    return _is_telling(name[:100])


@lru_cache(maxsize=2048)
def _is_telling(name: str) -> bool:
    words = _HUMP.sub("_", name).lower().replace("-", "_").replace(" ", "_").replace(".", "_")
    return _TELLING_NAME.search(words) is not None


def _mask_mapping(value: Mapping[object, object], depth: int) -> dict[str, object]:
    masked: dict[str, object] = {}
    for name, item in list(value.items())[:_WIDEST]:
        text = str(name)
        masked[mask_text(text)] = "[masked]" if _hides(text, item) else mask_value(item, depth=depth + 1)
    return masked


def _hides(name: str, item: object) -> bool:
    return item is not None and item != "" and not isinstance(item, bool) and name_is_telling(name)


def _mask_items(items: Iterable[object], depth: int) -> list[object]:
    return [mask_value(item, depth=depth + 1) for item in list(items)[:_WIDEST]]


def _mask_whole(value: int) -> object:
    text = str(value) if abs(value) < 10**20 else ""
    masked = mask_text(text)
    return value if masked == text else masked


def _cut(text: str) -> str:
    """Keep both ends; a word torn by the cut goes too, because half an address matches no pattern."""
    head, tail = text[:_HEAD_CHARACTERS], text[-_TAIL_CHARACTERS:]
    torn_head, torn_tail = re.search(r"\S*\Z", head), re.match(r"\S*", tail)
    assert torn_head is not None
    assert torn_tail is not None
    head = head[: max(torn_head.start(), _HEAD_CHARACTERS - _LONGEST_TORN_WORD)]
    tail = tail[min(torn_tail.end(), _LONGEST_TORN_WORD) :]
    return f"{head}…[cut]…{tail}"
