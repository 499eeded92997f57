"""Severity as the camera's own sensor recorded it: the change of speed, held against the convention's bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiassist.rendering.scenario import HIGH_ABOVE_KMH, MEDIUM_FROM_KMH
from aiassist.types import Severity, Telemetry

# Change of speed in km/h, from and up to; a blow was recorded, so NONE is no question.
_BOUNDS_KMH: Final[Mapping[Severity, tuple[float, float]]] = {
    Severity.LOW: (0.0, MEDIUM_FROM_KMH),
    Severity.MEDIUM: (MEDIUM_FROM_KMH, HIGH_ABOVE_KMH),
    Severity.HIGH: (HIGH_ABOVE_KMH, float("inf")),
}
# An error below this is none that a sensor of this kind has.
_LEAST_ERROR_KMH = 0.5


@dataclass(frozen=True)
class RecordedSeverity:
    """`shares` is how much of the measured interval lies in each class; all classes that it touches are possible."""

    label: Severity
    shares: Mapping[Severity, float]

    @property
    def possible(self) -> tuple[Severity, ...]:
        return tuple(label for label, share in self.shares.items() if share > 0)


def recorded_severity(telemetry: Telemetry | None) -> RecordedSeverity | None:
    """Return what the recorded change of speed says, None where no blow was recorded.

    The error is taken as the half width of an interval in which every value is as likely as the others: that is all
    that is known of it.
    """
    if telemetry is None or telemetry.delta_v_kmh is None:
        return None
    error = max(telemetry.delta_v_error_kmh or 0.0, _LEAST_ERROR_KMH)
    low, high = max(0.0, telemetry.delta_v_kmh - error), telemetry.delta_v_kmh + error
    shares = {Severity.NONE: 0.0} | {
        label: max(0.0, min(high, upto) - max(low, least)) / (high - low)
        for label, (least, upto) in _BOUNDS_KMH.items()
    }
    return RecordedSeverity(max(shares, key=lambda label: shares[label]), shares)
