"""The one file that knows JSON Web Tokens: ours (HS256, one key, one purpose each) and an identity provider's.

Ours have a fixed header, which is compared as text before anything is parsed: no algorithm, key name or extension of a
token's choosing is ever looked at.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import jwt

from tenancy.errors import IdentityRefused, InvalidCredential, TokenExpired
from tenancy.secret_sealing import purpose_key

_ISSUER = "claimwright"
_ALGORITHM = "HS256"
_CLAIMS = ("iss", "aud", "sub", "tid", "fam", "jti", "iat", "nbf", "exp")
# Clocks of two servers of one installation differ; a token may be used this long before it was made.
_CLOCK_SLACK_SECONDS = 5
# Of an identity provider: signatures that anyone can check and nobody else can make.
_ID_TOKEN_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
_ID_TOKEN_LEEWAY_SECONDS = 60
_MOST_CHARACTERS = 16_384


class TokenKind(Enum):
    """What a token of ours is for: its type (RFC 9068) and audience."""

    ACCESS = ("at+jwt", "claimwright:api")
    REFRESH = ("rt+jwt", "claimwright:refresh")

    @property
    def header(self) -> dict[str, str]:
        return {"alg": _ALGORITHM, "typ": self.value[0]}

    @property
    def audience(self) -> str:
        return self.value[1]

    @property
    def key(self) -> bytes:
        return purpose_key(f"token:{self.name.lower()}")


@dataclass(frozen=True)
class TokenFacts:
    """What a checked token says; whether that still holds stands in its family's row."""

    token_id: UUID
    family_id: UUID
    user_id: UUID
    tenant_id: UUID | None


def sign_token(kind: TokenKind, facts: TokenFacts, *, now: datetime, expires_at: datetime) -> str:
    """Return the token as text."""
    issued_at = int(now.timestamp())
    claims = {
        "iss": _ISSUER,
        "aud": kind.audience,
        "sub": str(facts.user_id),
        "tid": str(facts.tenant_id) if facts.tenant_id else "",
        "fam": str(facts.family_id),
        "jti": str(facts.token_id),
        "iat": issued_at,
        "nbf": issued_at - _CLOCK_SLACK_SECONDS,
        "exp": int(expires_at.timestamp()),
    }
    return jwt.encode(claims, kind.key, algorithm=_ALGORITHM, headers=kind.header)


def read_token(kind: TokenKind, text: str) -> TokenFacts:
    """Return what a token of ours says; raises TokenExpired, InvalidCredential. Asks no database."""
    if not text.isascii() or len(text) > _MOST_CHARACTERS:
        raise InvalidCredential
    if not hmac.compare_digest(text.partition(".")[0].encode(), _header_text(kind)):
        raise InvalidCredential
    try:
        claims = jwt.decode(
            text,
            kind.key,
            algorithms=[_ALGORITHM],
            audience=kind.audience,
            issuer=_ISSUER,
            options={"require": list(_CLAIMS), "strict_aud": True, "verify_iat": False},
        )
        token_id, family_id, user_id = (UUID(str(claims[name])) for name in ("jti", "fam", "sub"))
        return TokenFacts(token_id, family_id, user_id, UUID(str(claims["tid"])) if claims["tid"] else None)
    except jwt.ExpiredSignatureError as problem:
        raise TokenExpired from problem
    except (jwt.PyJWTError, ValueError) as problem:
        raise InvalidCredential from problem


def _header_text(kind: TokenKind) -> bytes:
    raw = json.dumps(kind.header, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def read_id_token(
    text: object, *, key_set: Mapping[str, Any], issuer: str, client_id: str, algorithm: str
) -> dict[str, Any]:
    """Return the claims of an identity provider's token, its signature checked against the provider's published keys.

    `algorithm` is the one that was agreed with the provider; what the token's header says is no choice. Raises
    IdentityRefused.
    """
    if algorithm not in _ID_TOKEN_ALGORITHMS:
        raise IdentityRefused(f"{algorithm} is no algorithm for identity tokens.")
    if not isinstance(text, str) or len(text) > _MOST_CHARACTERS:
        raise IdentityRefused("The identity provider sent no identity token.")
    try:
        key = _published_key(key_set, jwt.get_unverified_header(text).get("kid"), algorithm)
        claims: dict[str, Any] = jwt.decode(
            text,
            key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=issuer,
            leeway=_ID_TOKEN_LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError) as problem:
        raise IdentityRefused(reason=type(problem).__name__) from problem
    _refuse_other_party(claims, client_id)
    return claims


def _published_key(key_set: Mapping[str, Any], key_id: object, algorithm: str) -> Any:
    """Return the one public key of that name; without a name there must be one key alone."""
    keys = [jwt.PyJWK(entry, algorithm=algorithm) for entry in key_set["keys"] if _signs(entry)]
    fitting = [key for key in keys if key_id in (None, key.key_id)]
    if len(fitting) != 1:
        raise ValueError("no single published key fits")
    return fitting[0].key


def _signs(entry: Mapping[str, Any]) -> bool:
    return entry.get("kty") in {"RSA", "EC", "OKP"} and entry.get("use", "sig") == "sig"


def _refuse_other_party(claims: Mapping[str, Any], client_id: str) -> None:
    """OpenID Connect Core 3.1.3.7: a token for several parties names the one it was made for."""
    audience = claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise IdentityRefused(reason="azp")
