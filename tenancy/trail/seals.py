"""The chain of a tenant's seals, read and checked: numbers, hashes, sizes, the head, signatures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db.models import Max, QuerySet

from tenancy.models import AuditHead, AuditSeal
from tenancy.trail.format import GENESIS_HASH, seal_hash, seal_note
from tenancy.trail.problems import AuditProblem, ProblemKind
from tenancy.trail.signing import Signed, is_signed_by

_CHUNK = 5_000


def note_of(seal: AuditSeal) -> str:
    """Return the text that the seal's signature is over."""
    assert seal.tenant_id is not None
    return seal_note(
        tenant_id=seal.tenant_id,
        size=seal.size,
        root=bytes.fromhex(seal.root),
        number=seal.number,
        previous_hash=seal.previous_hash,
        sealed_at=seal.sealed_at,
    )


def signed_of(seal: AuditSeal) -> Signed:
    return Signed(seal.key_id, seal.signature)


def latest_seal() -> AuditSeal | None:
    """Return the newest seal of the tenant in scope."""
    found: AuditSeal | None = AuditSeal.objects.order_by("-number").first()
    return found


def seal_sizes(last: AuditSeal) -> dict[int, AuditSeal]:
    """Return the seals up to the last by the size of the tree at which they were made, the last one of each size."""
    return {seal.size: seal for seal in seals_up_to(last.number)}


def head_problem() -> AuditProblem | None:
    """Compare the head with the seals, in one statement, so that a seal made meanwhile is seen with its head."""
    newest = AuditSeal.objects.values("tenant_id").annotate(number=Max("number")).values("number")
    row = AuditHead.objects.values_list("seal_number", newest).first()
    sealed = AuditSeal.objects.exists()
    if row is None:
        detail = "The head of the trail is gone."
        return AuditProblem(ProblemKind.TRUNCATED, detail) if sealed else None
    known, there = row[0], row[1] or 0
    if there < known:
        return AuditProblem(ProblemKind.TRUNCATED, f"The seals end at {there}, the head knows {known}.", seal=there + 1)
    if there > known:
        return AuditProblem(ProblemKind.INSERTED, f"The head does not know seal {known + 1}.", seal=known + 1)
    return None


def is_sound(seal: AuditSeal, keys: Mapping[str, str]) -> bool:
    """Whether the newest seal is what was hashed, the one that the head names, and signed by a key that counts."""
    if _hash_of(seal) != seal.hash:
        return False
    head = AuditHead.objects.values_list("seal_number", "seal_hash").first()
    if head is None or head[0] < seal.number or (head[0] == seal.number and head[1] != seal.hash):
        return False
    return not keys or is_signed_by(note_of(seal), signed_of(seal), keys)


def seal_problem(last: AuditSeal, keys: Mapping[str, str]) -> AuditProblem | None:
    """Return the first thing wrong with the seals up to the last; `keys` are the public keys that count.

    Signatures are part of what the next seal's hash covers, so the last one vouches for all: only when it fails are
    the others tried, to find the first bad one.
    """
    before: AuditSeal | None = None
    for seal in seals_up_to(last.number):
        problem = _link_problem(before, seal)
        if problem is not None:
            return problem
        before = seal
    head = AuditHead.objects.filter(seal_number=last.number).values_list("seal_hash", flat=True).first()
    if head not in (None, last.hash):
        return _about(last, ProblemKind.ALTERED, "is not the one that the head names")
    if not keys or is_signed_by(note_of(last), signed_of(last), keys):
        return None
    return _first_bad_signature(last, keys)


def _link_problem(before: AuditSeal | None, seal: AuditSeal) -> AuditProblem | None:
    expected = before.number + 1 if before else 1
    if seal.number > expected:
        return AuditProblem(ProblemKind.MISSING, f"Seal {expected} is not there.", seal=expected)
    if seal.number < expected:
        return _about(seal, ProblemKind.INSERTED, "is there more than once")
    if _hash_of(seal) != seal.hash:
        return _about(seal, ProblemKind.ALTERED, "is not what was hashed")
    if seal.previous_hash != (before.hash if before else GENESIS_HASH):
        return _about(before or seal, ProblemKind.ALTERED, "was replaced: the next one follows another")
    if before is not None and seal.size < before.size:
        return _about(seal, ProblemKind.ALTERED, "is of a smaller tree than the one before")
    return None


def _hash_of(seal: AuditSeal) -> str | None:
    try:
        note = note_of(seal)
    except ValueError:  # the root is no longer hexadecimal
        return None
    return seal_hash(note, key_id=seal.key_id, signature=seal.signature)


def _first_bad_signature(last: AuditSeal, keys: Mapping[str, str]) -> AuditProblem:
    # Seals from before there was a key have no signature; the first signed one after them vouches for them.
    for seal in seals_up_to(last.number):
        if seal.signature and seal.key_id in keys and not is_signed_by(note_of(seal), signed_of(seal), keys):
            return _about(seal, ProblemKind.BAD_SIGNATURE, "has a signature that is not its key's")
    how = f"is signed by an unknown key ({last.key_id})" if last.signature else "is not signed, and this platform signs"
    return _about(last, ProblemKind.BAD_SIGNATURE, how)


def seals_up_to(number: int) -> Iterator[AuditSeal]:
    """Yield the seals of the tenant in scope up to the numbered one, in order."""
    seals: QuerySet[AuditSeal] = AuditSeal.objects.order_by("number", "id")
    last = 0
    while True:
        chunk = list(seals.filter(number__gt=last, number__lte=number)[:_CHUNK])
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        last = chunk[-1].number


def _about(seal: AuditSeal, kind: ProblemKind, detail: str) -> AuditProblem:
    return AuditProblem(kind, f"Seal {seal.number} {detail}.", seal=seal.number)
