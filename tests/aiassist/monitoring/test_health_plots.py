"""Figures of model health as people read them."""

from __future__ import annotations

import pytest

from aiassist.monitoring.health_plots import signed


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [(-29.4, 0, "−29"), (1.2, 0, "+1"), (-0.3, 0, "0"), (0.0, 2, "0.00"), (-0.004, 2, "0.00"), (-0.09, 2, "−0.09")],
)
def test_signed_has_a_true_minus_and_no_negative_zero(value: float, digits: int, words: str) -> None:
    assert signed(value, digits) == words
