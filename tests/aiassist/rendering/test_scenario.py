"""What a clip may be asked for, and the severity convention at its edges."""

from __future__ import annotations

from typing import Any

import pytest

from aiassist.rendering.scenario import ClipKind, ClipSpec, severity_of
from aiassist.types import Severity


@pytest.mark.parametrize(
    ("delta_v_kmh", "severity"),
    [
        (0.5, Severity.LOW),
        (7.99, Severity.LOW),
        (8.0, Severity.MEDIUM),
        (25.0, Severity.MEDIUM),
        (25.01, Severity.HIGH),
    ],
)
def test_severity_of_follows_delta_v(delta_v_kmh: float, severity: Severity) -> None:
    assert severity_of(delta_v_kmh=delta_v_kmh, impact=True) is severity


def test_severity_of_is_none_without_an_impact_on_us() -> None:
    assert severity_of(delta_v_kmh=0.0, impact=False) is Severity.NONE


@pytest.mark.parametrize(
    "wrong",
    [{"width": 321}, {"height": 32}, {"width": 7680}, {"fps": 2}, {"duration_seconds": 0.2}, {"seed": -1}],
)
def test_clip_spec_refuses_what_cannot_be_rendered(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        ClipSpec(**{"kind": ClipKind.CALM, "seed": 1, **wrong})
