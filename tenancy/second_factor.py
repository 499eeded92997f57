"""A second factor: time-based codes (RFC 6238) of an authenticator app, with recovery codes for when it is lost.

That a code works once is a conditional update of the newest accepted time step, so it holds for two requests at the
same moment and for servers without a shared cache alike.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

import structlog
from django.db import transaction

from tenancy.audit import TenancyAction
from tenancy.errors import SecondFactorOn, SecondFactorRefused
from tenancy.models import RecoveryCode, SecondFactor, User
from tenancy.person_events import record_person_event
from tenancy.principals import Principal
from tenancy.secret_sealing import SealBroken, seal, unseal

log = structlog.get_logger(__name__)

_STEP_SECONDS = 30
_DIGITS = 6
# One step either way: a phone's clock is a few seconds off, and typing takes a while (RFC 6238 section 5.2).
_STEPS_OFF = 1
_SECRET_BYTES = 20
_PURPOSE = "totp"
_RECOVERY_CODES = 10
# Crockford's alphabet without look-alikes; 16 of it are 80 bits, so a plain hash is enough (as with API keys).
_RECOVERY_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RECOVERY_LENGTH = 16


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs; shown until the first right code and never after."""

    secret: str
    uri: str


def has_second_factor(user: User) -> bool:
    """Whether the person set one up and confirmed it."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


@transaction.atomic(durable=True)
def begin_second_factor(*, user: User, now: datetime) -> Enrolment:
    """Return a secret to be confirmed by its first code: the one begun before, if any. Raises SecondFactorOn."""
    secret = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    sealed = seal(secret, purpose=_PURPOSE, bound_to=str(user.id))
    factor, made = SecondFactor.objects.get_or_create(user=user, defaults={"sealed_secret": sealed, "created_at": now})
    if factor.confirmed_at is not None:
        raise SecondFactorOn
    if not made:
        try:
            secret = _secret_of(factor)
        except SealBroken:  # begun under another SECRET_KEY
            SecondFactor.objects.filter(user=user, confirmed_at__isnull=True).update(sealed_secret=sealed)
    label = quote(f"Claimwright:{user.username}")
    return Enrolment(secret, f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': 'Claimwright'})}")


@transaction.atomic(durable=True)
def confirm_second_factor(*, user: User, code: str, now: datetime) -> list[str]:
    """Turn the second factor on and return its recovery codes. Raises SecondFactorOn, SecondFactorRefused."""
    factor = SecondFactor.objects.filter(user=user).first()
    if factor is not None and factor.confirmed_at is not None:
        raise SecondFactorOn
    step = _step_of(factor, code, now) if factor else None
    rows = SecondFactor.objects.filter(user=user, confirmed_at__isnull=True)
    if step is None or not rows.update(confirmed_at=now, last_step=step):
        raise SecondFactorRefused
    codes = _fresh_codes(user)
    record_person_event(TenancyAction.SECOND_FACTOR_ON, user, now=now)
    return codes


def require_code(*, user: User, code: str, now: datetime) -> None:
    """Use up a code of the authenticator or a recovery code; raises SecondFactorRefused (and the trail tells why)."""
    refusal = _use_code(user, code, now)
    if refusal:
        raise SecondFactorRefused


@transaction.atomic(durable=True)
def remove_second_factor(*, user: User, now: datetime, actor: Principal | None = None) -> None:
    """Turn the second factor off, its recovery codes with it.

    The person themselves has used up a code (`require_code`); an `actor` is a superuser helping who lost everything.
    """
    removed, _ = SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    if removed:
        record_person_event(TenancyAction.SECOND_FACTOR_OFF, user, now=now, actor=actor)


@transaction.atomic(durable=True)
def replace_recovery_codes(*, user: User, now: datetime) -> list[str]:
    """Return new recovery codes; all older ones are void. The caller has used up a code (`require_code`)."""
    codes = _fresh_codes(user)
    record_person_event(TenancyAction.RECOVERY_CODES_MADE, user, now=now)
    return codes


def unused_recovery_codes(user: User) -> int:
    """Return how many are left."""
    return RecoveryCode.objects.filter(user=user, used_at__isnull=True).count()


@transaction.atomic(durable=True)
def _use_code(user: User, code: str, now: datetime) -> str:
    """Return why the code is refused, or nothing when it was used up just now."""
    factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    plain = code.strip().lower().replace(" ", "").replace("-", "")
    if factor is None:
        refusal = "no_second_factor"
    elif len(plain) == _DIGITS:
        refusal = _use_step(factor, plain, now)
    else:
        refusal = _use_recovery_code(user, plain, now)
    if refusal:
        record_person_event(TenancyAction.SECOND_FACTOR_REFUSED, user, now=now, reason=refusal)
    return refusal


def _use_step(factor: SecondFactor, code: str, now: datetime) -> str:
    try:
        step = _step_of(factor, code, now)
    except SealBroken:
        log.error("second_factor_unreadable", user_id=str(factor.user_id))
        return "unreadable_secret"
    if step is None:
        return "wrong_code"
    newer = SecondFactor.objects.filter(user_id=factor.user_id, last_step__lt=step)
    return "" if newer.update(last_step=step) else "replayed_code"


def _use_recovery_code(user: User, code: str, now: datetime) -> str:
    rows = RecoveryCode.objects.filter(user=user, code_sha256=_hash(code))
    if rows.filter(used_at__isnull=True).update(used_at=now):
        record_person_event(TenancyAction.RECOVERY_CODE_USED, user, now=now)
        return ""
    return "used_recovery_code" if rows.exists() else "wrong_code"


def _step_of(factor: SecondFactor, code: str, now: datetime) -> int | None:
    """Return the time step whose code this is, looking at every one so that all answers take the same time."""
    secret = _secret_of(factor)
    current = int(now.timestamp()) // _STEP_SECONDS
    found = None
    for step in range(current - _STEPS_OFF, current + _STEPS_OFF + 1):
        if hmac.compare_digest(code.encode(), code_at(secret, step).encode()):
            found = step
    return found


def code_at(secret: str, step: int) -> str:
    """Return the code of a time step (RFC 4226 section 5.3 over the step; `secret` is base32)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def _secret_of(factor: SecondFactor) -> str:
    return unseal(factor.sealed_secret, purpose=_PURPOSE, bound_to=str(factor.user_id))


def _fresh_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [
        "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(_RECOVERY_LENGTH)) for _ in range(_RECOVERY_CODES)
    ]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, code_sha256=_hash(code)) for code in codes])
    return ["-".join(code[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4)) for code in codes]


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
