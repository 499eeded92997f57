"""What the camera's own sensor recorded outranks the pictures, and widens what is possible, never narrows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiassist.assessment.recorded import recorded_severity
from aiassist.types import Severity, Telemetry
from tests.aiassist.assessment.cases import assess, crash, make_dossier

SPEEDS = st.floats(0.0, 200.0)


def blow(delta_v_kmh: float, error_kmh: float = 2.0) -> Telemetry:
    return Telemetry(
        fixes=0,
        acceleration_samples=100,
        peak_acceleration_g=4.0,
        delta_v_kmh=delta_v_kmh,
        delta_v_error_kmh=error_kmh,
        delta_v_seconds=5.0,
    )


@pytest.mark.parametrize(
    ("delta_v_kmh", "error_kmh", "label", "possible"),
    [
        (4.0, 1.0, Severity.LOW, {Severity.LOW}),
        (15.0, 3.0, Severity.MEDIUM, {Severity.MEDIUM}),
        (40.0, 8.0, Severity.HIGH, {Severity.HIGH}),
        (9.0, 3.0, Severity.MEDIUM, {Severity.LOW, Severity.MEDIUM}),
        (20.0, 14.0, Severity.MEDIUM, {Severity.LOW, Severity.MEDIUM, Severity.HIGH}),
    ],
)
def test_recorded_severity_holds_the_change_of_speed_against_the_convention(
    delta_v_kmh: float, error_kmh: float, label: Severity, possible: set[Severity]
) -> None:
    found = recorded_severity(blow(delta_v_kmh, error_kmh))
    assert found is not None
    assert (found.label, set(found.possible)) == (label, possible)


@given(SPEEDS, SPEEDS)
def test_recorded_severity_shares_add_up_and_hold_the_label(delta_v_kmh: float, error_kmh: float) -> None:
    found = recorded_severity(blow(delta_v_kmh, error_kmh))
    assert found is not None
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert found.label in found.possible and Severity.NONE not in found.possible


def test_recorded_severity_is_silent_without_a_recorded_blow() -> None:
    assert recorded_severity(None) is None
    assert recorded_severity(Telemetry(fixes=10, acceleration_samples=100)) is None


def test_run_takes_the_recorded_change_of_speed_before_the_pictures(tmp_path: Path) -> None:
    seen = assess(make_dossier(tmp_path), crash())
    recorded = assess(make_dossier(tmp_path), crash(telemetry=blow(4.0, 1.0)))
    assert seen.severity.label is not Severity.LOW
    assert recorded.severity.label is Severity.LOW
    assert set(recorded.severity.prediction_set) == set(seen.severity.prediction_set) | {Severity.LOW}
    assert recorded.severity.confidence <= 0.7, "nobody looked at the pictures as a whole"
    assert "recorded a change of speed of 4 km/h (± 1)" in recorded.summary
    assert "recorded a change of speed" not in seen.summary
