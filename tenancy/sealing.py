"""AES-256-GCM, the only cipher here: the adapter around `cryptography`. Knows keys and bytes, no rows and no settings.

A nonce is 96 random bits, so one key may seal 2^32 texts (NIST SP 800-38D, 8.3); a data key seals a handful, a master
key one text per data key.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


class BrokenSeal(Exception):
    """The text is damaged, stands in another place than it was sealed for, or was sealed with another key."""


def new_key() -> bytes:
    """Return a random 256-bit key."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, content: bytes, *, place: bytes) -> str:
    """Return the content encrypted as base64 text; it opens only with the key and for the same place."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, content, place)).decode("ascii")


def unseal(key: bytes, sealed: str, *, place: bytes) -> bytes:
    """Return the content; raises BrokenSeal."""
    try:
        raw = base64.b64decode(sealed.encode("ascii"), validate=True)
        if len(raw) < _NONCE_BYTES + _TAG_BYTES:
            raise BrokenSeal
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place)
    except (InvalidTag, binascii.Error, UnicodeEncodeError) as problem:
        raise BrokenSeal from problem
