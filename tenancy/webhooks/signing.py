"""Signing secrets and the headers of the Standard Webhooks (v1: HMAC-SHA256 over id, time and body)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from tenancy import secret_sealing
from tenancy.secret_sealing import SealBroken
from tenancy.webhooks.errors import SecretUnreadable

_SECRET_BYTES = 32  # the standard asks for 24 to 64
_PURPOSE = "webhook-secret"


def make_secret() -> str:
    """Return a fresh secret as its owner gets to see it: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def seal(secret: str) -> str:
    """Return the secret as it is stored: readable only with the server's SECRET_KEY."""
    return secret_sealing.seal(secret, purpose=_PURPOSE, bound_to=_PURPOSE)


def unseal(sealed: str) -> str:
    """Return a stored secret; raises SecretUnreadable when SECRET_KEY and its fallbacks are all others."""
    try:
        return secret_sealing.unseal(sealed, purpose=_PURPOSE, bound_to=_PURPOSE)
    except SealBroken as error:
        raise SecretUnreadable from error


def signed_headers(*, message_id: str, body: str, keys: Sequence[str], at: datetime) -> dict[str, str]:
    """Return the headers of one attempt, with a signature by each secret (two while one follows the other)."""
    moment = at.astimezone(UTC)  # the library takes any time for UTC
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message_id, moment, body) for key in keys),
    }
