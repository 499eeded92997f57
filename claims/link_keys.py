"""Identifiers as people write them, brought to one spelling and then to a digest. Pure."""

from __future__ import annotations

import re
import unicodedata

from claims.models import Claim, Party
from claims.models.link_key import LinkKeyKind
from claims.models.told import Contact, Told
from tenancy.vault import BlindIndex

_SHORTEST_PLATE, _SHORTEST_PHONE, _SHORTEST_ACCOUNT = 4, 7, 6
# "+49 170 1234567", "0049 170…" and "0170…" are one number; the last nine digits are the same in all of them.
_PHONE_DIGITS = 9
# What people write into a field that they must fill; two of them link nothing.
_STOPGAPS = {"none", "null", "unknown", "notknown", "unregistered", "nottold", "test", "unbekannt", "keine", "inconnu"}
_DOTLESS_DOMAINS = {"gmail.com", "googlemail.com"}  # the same mailbox with and without dots

LinkKeys = dict[LinkKeyKind, str]


def link_keys_of(claim: Claim, claimant: Party | None, *, index: BlindIndex) -> LinkKeys:
    """Return the digest of every identifier the claim carries; what is too short to tell anything has none."""
    return digests_of(claim.told, claimant.contact if claimant is not None else Contact(), index=index)


def digests_of(told: Told, contact: Contact, *, index: BlindIndex) -> LinkKeys:
    plain = {
        LinkKeyKind.PLATE: plate_spelling(told.vehicle_plate),
        LinkKeyKind.PHONE: phone_spelling(contact.phone),
        LinkKeyKind.EMAIL: email_spelling(contact.email),
        LinkKeyKind.ACCOUNT: account_spelling(contact.account),
        LinkKeyKind.NAME: name_spelling(contact.name),
    }
    return {kind: index.digest(kind, text) for kind, text in plain.items() if text}


def plate_spelling(text: str) -> str:
    """Return "BAB1234" for "B-AB 1234" and "b ab 1234"."""
    return _long_enough(_letters_and_digits(text), _SHORTEST_PLATE)


def account_spelling(text: str) -> str:
    """Return an account number without the spaces of its groups."""
    return _long_enough(_letters_and_digits(text), _SHORTEST_ACCOUNT)


def phone_spelling(text: str) -> str:
    """Return the last nine digits, which national and international spellings of one number share."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", text))
    return _long_enough(digits[-_PHONE_DIGITS:], _SHORTEST_PHONE)


def email_spelling(text: str) -> str:
    """Return the mailbox: case, a "+tag" and the dots that a provider ignores make no other one."""
    name, at, domain = unicodedata.normalize("NFKC", text).strip().casefold().rpartition("@")
    name = name.split("+", 1)[0]
    if domain in _DOTLESS_DOMAINS:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}" if at and name and "." in domain else ""


def name_spelling(text: str) -> str:
    """Return the words of a name in one order: "Doe, Jane" is "Jane Doe"."""
    return " ".join(sorted(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())))


def _letters_and_digits(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


def _long_enough(text: str, shortest: int) -> str:
    """Return the text unless it is a stopgap such as "-", "unknown" or "0000000"."""
    return text if len(text) >= shortest and len(set(text)) > 1 and text not in _STOPGAPS else ""
