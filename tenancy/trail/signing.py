"""Ed25519 over what is sealed: the one place that knows the cryptography library's signatures.

The private key stands outside the database (AUDIT_SIGNING_KEY, or the file that quickstart makes), so that who can only
write to the database can seal nothing.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

_KEY_BYTES = 32
# 64 bits name a key among the few that a platform ever has; the signature is what proves.
_ID_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed and what; both empty where there is no key."""

    key_id: str = ""
    signature: str = ""


def sign_note(note: str) -> Signed:
    """Sign by the platform's key; an empty Signed without one."""
    if not settings.AUDIT_SIGNING_KEY:
        return Signed()
    key = _private(settings.AUDIT_SIGNING_KEY)
    return Signed(own_key_id(), b64encode(key.sign(note.encode())).decode())


def own_public_key() -> str:
    """Return the public half of the platform's key in base64, empty without one."""
    return public_key_of(settings.AUDIT_SIGNING_KEY) if settings.AUDIT_SIGNING_KEY else ""


def own_key_id() -> str:
    """Return the id of the platform's key, empty without one."""
    return key_id_of(own_public_key()) if settings.AUDIT_SIGNING_KEY else ""


@lru_cache(maxsize=4)
def public_key_of(secret: str) -> str:
    """Return the public half, in base64, of a secret key in base64; raises ValueError for anything else."""
    return b64encode(_private(secret).public_key().public_bytes_raw()).decode()


def trusted_keys(extra: Iterable[str] = ()) -> dict[str, str]:
    """Return the public keys whose signatures count, by id: the platform's, the retired ones, those given."""
    known = [own_public_key(), *settings.AUDIT_PUBLIC_KEYS, *extra]
    return {key_id_of(key): key for key in known if key}


def is_signed_by(note: str, signed: Signed, keys: Mapping[str, str]) -> bool:
    """Whether one of the keys made the signature."""
    key = keys.get(signed.key_id)
    if key is None:
        return False
    try:
        _public(key).verify(b64decode(signed.signature, validate=True), note.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id_of(public_key: str) -> str:
    """Return the id of a public key in base64; raises ValueError when it is none."""
    return hashlib.sha256(_raw(public_key)).hexdigest()[:_ID_LETTERS]


@lru_cache(maxsize=4)
def _private(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_raw(secret))


@lru_cache(maxsize=16)
def _public(key: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_raw(key))


def _raw(text: str) -> bytes:
    raw = b64decode(text, validate=True)
    if len(raw) != _KEY_BYTES:
        raise ValueError("an Ed25519 key is 32 bytes in base64")
    return raw
