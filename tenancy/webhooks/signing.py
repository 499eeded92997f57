"""Signing secrets and the headers of the Standard Webhooks (v1: HMAC-SHA256 over id, time and body)."""

from __future__ import annotations

import base64
import functools
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from standardwebhooks import Webhook

from tenancy.webhooks.errors import SecretUnreadable

_SECRET_BYTES = 32  # the standard asks for 24 to 64
_PURPOSE = b"claimwright webhook secrets 1"


def make_secret() -> str:
    """Return a fresh secret as its owner gets to see it: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def seal(secret: str) -> str:
    """Return the secret as it is stored: readable only with the server's SECRET_KEY."""
    return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Return a stored secret; raises SecretUnreadable when SECRET_KEY and its fallbacks are all others."""
    try:
        return _box((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error


def signed_headers(*, message_id: str, body: str, keys: Sequence[str], at: datetime) -> dict[str, str]:
    """Return the headers of one attempt, with a signature by each secret (two while one follows the other)."""
    moment = at.astimezone(UTC)  # the library takes any time for UTC
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, moment, body) for key in keys),
    }


@functools.lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    derived = (HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(key.encode()) for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
