"""Sentences that reviewers write every day, to insert by a click or a digit and to edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from claims.models import Assessment
from claims.words import clock_words, code_words
from reviews.choices import DecisionKind
from reviews.pages.fault_bar import FaultBar, fault_bar


@dataclass(frozen=True)
class Snippet:
    decision: str
    digit: int
    text: str


def snippets_for(assessment: Assessment) -> list[Snippet]:
    """Return up to three sentences for each outcome; they cite what was measured where something was."""
    place = _place(assessment)
    sentences: dict[str, Sequence[str]] = {
        DecisionKind.APPROVE: (
            f"The video shows what was reported{place}.",
            _fault_sentence(fault_bar(assessment)),
            "The damage described fits the event in the video.",
        ),
        DecisionKind.REJECT: (
            f"The video does not show the reported event{place}.",
            "The footage is not of the reported journey.",
            "The policy does not cover this event.",
        ),
        DecisionKind.REQUEST_MORE_INFO: (
            "Please send the uncut recording, from one minute before to one minute after the event.",
            "Please send photographs of the damage to all vehicles.",
            "Please describe where the other vehicle came from.",
        ),
    }
    return [
        Snippet(decision, digit, text)
        for decision, texts in sentences.items()
        for digit, text in enumerate(texts, start=1)
    ]


def _fault_sentence(fault: FaultBar) -> str:
    if fault.is_open:
        return "The share of fault is my own judgement; the assessment left it open."
    return f"I agree with {fault.share} % fault on the insured's side."


def _place(assessment: Assessment) -> str:
    strongest = max(assessment.hazards, key=lambda hazard: hazard["score"], default=None)
    if strongest is None:
        return ""
    return f" ({code_words(strongest['kind']).lower()} at {clock_words(strongest['start_seconds'])})"
