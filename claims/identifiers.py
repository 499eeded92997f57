"""Finds a claimant's own identifiers in words that are kept for ever, so that nobody writes them there unaware."""

from __future__ import annotations

import re

from claims.link_keys import account_spelling, phone_spelling, plate_spelling
from claims.models import Claim
from claims.models.told import Contact, Told
from claims.selectors import claimant_of
from observability.errors import FieldProblem, InvalidInput

_DIGITS = re.compile(r"\+?\d[\d ()/.-]{5,}\d")
_WORDS_AND_DIGITS = re.compile(r"[^\W_]+")


def refuse_identifiers(claim: Claim, **texts: str) -> None:
    """Raise InvalidInput when one of the texts, by the name of its field, names the claimant or the vehicle.

    Costs two queries where a text is given. First names and paraphrases pass: this is a reminder, no proof.
    """
    given = {name: text for name, text in texts.items() if text.strip()}
    if not given:
        return
    party = claimant_of(claim)
    contact = party.contact if party is not None else Contact()
    found = {name: kinds for name, text in given.items() if (kinds := identifiers_in(text, claim.told, contact))}
    if found:
        raise InvalidInput(
            f"Leave out the claimant's {', '.join(sorted(set().union(*found.values())))}: these words are kept in the "
            "history for ever.",
            code="personal_data_in_reason",
            problems=[FieldProblem(f"/{name}", "personal_data", "Names a person.") for name in sorted(found)],
        )


def identifiers_in(text: str, told: Told, contact: Contact) -> set[str]:
    """Return which of the claimant's identifiers stand in the text, in whatever spelling. Pure."""
    plain = " ".join(text.casefold().split())
    joined = "".join(_WORDS_AND_DIGITS.findall(plain))
    phone = phone_spelling(contact.phone)
    numbers = ("".join(filter(str.isdigit, run)) for run in _DIGITS.findall(text))
    name = " ".join(contact.name.casefold().split())
    hits = {
        "name": " " in name and name in plain,
        "e-mail address": bool(contact.email) and contact.email.casefold() in plain,
        "telephone number": bool(phone) and any(number.endswith(phone) for number in numbers),
        "account": _stands_in(account_spelling(contact.account), joined),
        "number plate": _stands_in(plate_spelling(told.vehicle_plate), joined),
    }
    return {kind for kind, hit in hits.items() if hit}


def _stands_in(spelled: str, joined: str) -> bool:
    """Whether a spelling with a digit stands in the text; letters alone are also parts of words."""
    return bool(spelled) and any(sign.isdigit() for sign in spelled) and spelled in joined
