"""The lanes of each kind of road. `across` is metres to the right of the insured vehicle's lane centre."""

from __future__ import annotations

from dataclasses import dataclass

from aiassist.rendering.scenario import Surroundings


@dataclass(frozen=True)
class Lane:
    """One lane: where its centre lies and whether it runs our way (1) or against us (-1)."""

    across_m: float
    direction: int


@dataclass(frozen=True)
class Layout:
    """The cross-section of a road. `dash_m` is the painted length of a dash, `cycle_m` dash plus gap."""

    lanes: tuple[Lane, ...]
    left_edge_m: float
    right_edge_m: float
    solid_lines_m: tuple[float, ...]
    dashed_lines_m: tuple[float, ...]
    dash_m: float
    cycle_m: float
    parking_m: tuple[float, ...]
    pavement_m: float
    usual_speed_kmh: tuple[float, float]

    def neighbours(self, direction: int) -> tuple[Lane, ...]:
        """Lanes of a direction other than our own."""
        return tuple(lane for lane in self.lanes if lane.direction == direction and lane.across_m != 0.0)


_OWN = Lane(0.0, 1)

LAYOUTS: dict[Surroundings, Layout] = {
    Surroundings.RURAL: Layout(
        lanes=(_OWN, Lane(-3.4, -1)),
        left_edge_m=-5.6,
        right_edge_m=2.2,
        solid_lines_m=(-5.1, 1.7),
        dashed_lines_m=(-1.7,),
        dash_m=4.0,
        cycle_m=12.0,
        parking_m=(),
        pavement_m=0.0,
        usual_speed_kmh=(60.0, 95.0),
    ),
    Surroundings.SUBURB: Layout(
        lanes=(_OWN, Lane(-3.3, -1)),
        left_edge_m=-7.2,
        right_edge_m=3.9,
        solid_lines_m=(-5.0,),
        dashed_lines_m=(-1.65, 1.8),
        dash_m=3.0,
        cycle_m=9.0,
        parking_m=(-6.1, 2.9),
        pavement_m=2.4,
        usual_speed_kmh=(38.0, 56.0),
    ),
    Surroundings.CITY: Layout(
        lanes=(_OWN, Lane(-3.2, 1), Lane(-6.5, -1), Lane(-9.7, -1)),
        left_edge_m=-11.6,
        right_edge_m=4.0,
        solid_lines_m=(-4.75, -4.95, 1.75),
        dashed_lines_m=(-1.6, -8.1),
        dash_m=3.0,
        cycle_m=9.0,
        parking_m=(2.95,),
        pavement_m=3.6,
        usual_speed_kmh=(32.0, 54.0),
    ),
    Surroundings.MOTORWAY: Layout(
        lanes=(_OWN, Lane(-3.6, 1), Lane(3.6, 1), Lane(-10.6, -1), Lane(-14.2, -1)),
        left_edge_m=-16.4,
        right_edge_m=8.2,
        solid_lines_m=(-5.5, 5.5, -8.7, -16.1),
        dashed_lines_m=(-1.8, 1.8, -12.4),
        dash_m=6.0,
        cycle_m=18.0,
        parking_m=(),
        pavement_m=0.0,
        usual_speed_kmh=(85.0, 125.0),
    ),
}


def layout_of(surroundings: Surroundings) -> Layout:
    return LAYOUTS[surroundings]
