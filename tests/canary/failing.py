"""A failure as programmers write them: the person in local variables, in the message and in its cause."""

from __future__ import annotations

from tests.canary.planted import bundle


def fail(number: int) -> None:
    """Raise with all that the bundle holds around it."""
    known = bundle(number)
    claimant_name, free_text = known.name, f"{known.name} said {known.word}"
    answers = {"password": known.word, "people": [claimant_name, free_text]}
    try:
        raise KeyError(f"{known.email} / {known.card}")
    except KeyError as cause:
        raise ValueError(f"no claim for {', '.join(known.shaped)} in {len(answers)}") from cause
