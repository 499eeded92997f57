"""Seals short secrets that must be read again, each purpose under a key of its own derived from SECRET_KEY."""

from __future__ import annotations

import hmac

from django.conf import settings

from observability.errors import PlatformError
from tenancy import sealing
from tenancy.sealing import BrokenSeal


class SealBroken(PlatformError):
    """The text was altered, belongs elsewhere, or was sealed under a SECRET_KEY that is gone."""

    code = "seal_broken"
    message = "A stored secret cannot be read."


def purpose_key(purpose: str, master: str | None = None) -> bytes:
    """Return the 32-byte key for one purpose; keys of different purposes tell nothing about each other."""
    return hmac.digest(str(master or settings.SECRET_KEY).encode(), f"claimwright/{purpose}/1".encode(), "sha256")


def seal(text: str, *, purpose: str, bound_to: str) -> str:
    """Return the encrypted text; it opens only for the same purpose and owner (`bound_to`)."""
    return sealing.seal(purpose_key(purpose), text.encode(), place=_place(purpose, bound_to))


def unseal(sealed: str, *, purpose: str, bound_to: str) -> str:
    """Return the text; SECRET_KEY_FALLBACKS still open what they sealed. Raises SealBroken."""
    for master in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return sealing.unseal(purpose_key(purpose, master), sealed, place=_place(purpose, bound_to)).decode()
        except BrokenSeal:
            continue
    raise SealBroken


def _place(purpose: str, bound_to: str) -> bytes:
    return f"{purpose}|{bound_to}".encode()
