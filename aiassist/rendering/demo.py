"""The clips of the demonstration: what the two demo tenants' clients hand in on the first start."""

from __future__ import annotations

from dataclasses import dataclass

from aiassist.rendering.scenario import ClipKind, ClipSpec, Lighting, Surroundings


@dataclass(frozen=True)
class DemoClip:
    """One claim of the demonstration: the film to draw and the words that come with it."""

    name: str
    tenant: str
    claim_number: str
    policy_number: str
    vehicle_plate: str
    claimant_name: str
    loss_location: str
    description: str
    spec: ClipSpec


def demonstration_specs() -> tuple[DemoClip, ...]:
    """Return the demonstration clips; the first is the one that a visitor should look at."""
    return (*_ACME, *_BOREALIS)


_ACME = (
    DemoClip(
        "queue-ahead", "acme", "CLM-2026-000417", "ACME-1001", "LK19 XPR", "Cleo Barnes", "Harcourt Road, Sheffield",
        "The van in front stopped dead and I could not stop in time. My bonnet is pushed in and the airbag went off.",
        ClipSpec(ClipKind.REAR_END, seed=417, duration_seconds=10.0, delta_v_kmh=34.0, event_seconds=6.2),
    ),
    DemoClip(
        "slow-bump", "acme", "CLM-2026-000418", "ACME-1002", "BD21 FHN", "Rowan Ellis", "Mill Lane, York",
        "Rolled into the car ahead in slow traffic. Only a scratched bumper, I think.",
        ClipSpec(ClipKind.REAR_END, seed=418, duration_seconds=8.0, delta_v_kmh=6.0, surroundings=Surroundings.CITY),
    ),
    DemoClip(
        "hard-brake", "acme", "CLM-2026-000421", "ACME-1003", "YC68 TWE", "Mina Sato", "A1 northbound near Wetherby",
        "Somebody braked hard in front of me. Nothing touched but my neck hurts since then.",
        ClipSpec(ClipKind.NEAR_MISS, seed=421, duration_seconds=8.0, surroundings=Surroundings.MOTORWAY),
    ),
    DemoClip(
        "joined-drives", "acme", "CLM-2026-000425", "ACME-1002", "BD21 FHN", "Rowan Ellis", "Unknown",
        "The other car came out of nowhere, as you can see from the film.",
        ClipSpec(ClipKind.CUT, seed=425, duration_seconds=8.0, event_seconds=4.0),
    ),
    DemoClip(
        "lens-cap", "acme", "CLM-2026-000429", "ACME-1001", "LK19 XPR", "Cleo Barnes", "Harcourt Road, Sheffield",
        "Dashcam film of the accident on Tuesday evening.",
        ClipSpec(ClipKind.BLACK, seed=429, duration_seconds=6.0),
    ),
)  # fmt: skip
_BOREALIS = (
    DemoClip(
        "struck-from-behind", "borealis", "B-88120", "BOREALIS-1001", "B NB 2041", "Nils Berg",
        "Karl-Marx-Allee, Berlin",
        "I was braking for the lights when the car behind drove into me.",
        ClipSpec(ClipKind.REAR_ENDED, seed=881, duration_seconds=8.0, delta_v_kmh=16.0, surroundings=Surroundings.CITY),
    ),
    DemoClip(
        "evening-drive", "borealis", "B-88127", "BOREALIS-1002", "B RE 778", "Rowan Ellis",
        "Landstrasse 12, Potsdam",
        "A stone hit my windscreen somewhere on the way home.",
        ClipSpec(
            ClipKind.CALM, seed=882, duration_seconds=8.0, lighting=Lighting.DUSK, surroundings=Surroundings.RURAL
        ),
    ),
)  # fmt: skip
