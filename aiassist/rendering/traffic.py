"""Other road users: their sizes and weights, and where each one is at every moment of a drive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from aiassist.rendering.kinematics import Series, travelled
from aiassist.rendering.road import Layout

EGO_WIDTH_M = 1.8
LOOKS = 24  # different vehicles of each body


class Body(StrEnum):
    CAR = "CAR"
    SUV = "SUV"
    VAN = "VAN"
    TRUCK = "TRUCK"


@dataclass(frozen=True)
class Dimensions:
    """Typical sizes in metres; `mass_ratio` is the weight over that of the insured car (1.4 t)."""

    length: float
    width: float
    height: float
    mass_ratio: float


DIMENSIONS: dict[Body, Dimensions] = {
    Body.CAR: Dimensions(4.4, 1.8, 1.46, 1.0),
    Body.SUV: Dimensions(4.7, 1.9, 1.72, 1.4),
    Body.VAN: Dimensions(5.4, 2.0, 2.15, 1.8),
    Body.TRUCK: Dimensions(8.5, 2.5, 3.4, 8.0),
}


@dataclass(frozen=True)
class Actor:
    """One vehicle over time: its centre along and across the road, its heading (0 our way, pi against us).

    `look` seeds its paint; `braking` lights the brake lamps.
    """

    body: Body
    look: int
    along: Series
    across: Series
    heading: Series
    braking: NDArray[np.bool_]

    @property
    def size(self) -> Dimensions:
        return DIMENSIONS[self.body]

    def half_extents(self) -> tuple[Series, Series]:
        """Half of the room it takes along and across the road."""
        cos, sin = np.abs(np.cos(self.heading)), np.abs(np.sin(self.heading))
        half_length, half_width = self.size.length / 2, self.size.width / 2
        return cos * half_length + sin * half_width, sin * half_length + cos * half_width


def always(value: float, count: int) -> Series:
    """A series that never changes and takes no room, however long the drive is."""
    return np.broadcast_to(np.float64(value), (count,))


def lane_actor(
    *, body: Body, look: int, speed: Series, start_m: float, across_m: float, direction: int = 1, lamps: bool = False
) -> Actor:
    """A vehicle that keeps its lane; `start_m` is its centre at the first frame. Lamps are lit while it slows down."""
    slowing = np.gradient(speed) * 200.0 < -0.6
    return Actor(
        body=body,
        look=look,
        along=start_m + direction * travelled(speed),
        across=always(across_m, len(speed)),
        heading=always(0.0 if direction > 0 else np.pi, len(speed)),
        braking=slowing | (lamps & (speed < 0.3)),
    )


def drawn_body(rng: np.random.Generator) -> Body:
    return Body(rng.choice(np.array([Body.CAR, Body.SUV, Body.VAN, Body.TRUCK]), p=[0.52, 0.28, 0.13, 0.07]))


def oncoming_traffic(
    rng: np.random.Generator, layout: Layout, *, times: Series, reach_m: float, speed_mps: float
) -> list[Actor]:
    """Vehicles in the lanes against us, far enough apart not to touch, over everything we can meet."""
    actors: list[Actor] = []
    for lane in layout.neighbours(-1):
        place = float(rng.uniform(25.0, 90.0))
        lane_speed = speed_mps * float(rng.uniform(0.85, 1.1))
        while place < reach_m + lane_speed * times[-1]:
            actors.append(
                lane_actor(
                    body=drawn_body(rng),
                    look=int(rng.integers(LOOKS)),
                    speed=np.full(len(times), lane_speed),
                    start_m=place,
                    across_m=lane.across_m + float(rng.normal(0.0, 0.12)),
                    direction=-1,
                )
            )
            place += float(rng.uniform(28.0, 130.0))
    return actors


def same_way_traffic(
    rng: np.random.Generator, layout: Layout, *, times: Series, speed_mps: float, keep_free: float | None = None
) -> list[Actor]:
    """Vehicles in the other lanes of our direction, at nearly our speed."""
    actors: list[Actor] = []
    for lane in layout.neighbours(1):
        if keep_free is not None and lane.across_m == keep_free:
            continue
        place = float(rng.uniform(8.0, 40.0))
        for _ in range(int(rng.integers(1, 4))):
            speed = np.full(len(times), speed_mps * float(rng.uniform(0.97, 1.03)))
            actors.append(
                lane_actor(
                    body=drawn_body(rng),
                    look=int(rng.integers(LOOKS)),
                    speed=speed,
                    start_m=place,
                    across_m=lane.across_m + float(rng.normal(0.0, 0.1)),
                )
            )
            place += float(rng.uniform(25.0, 60.0))
    return actors


def parked_cars(rng: np.random.Generator, layout: Layout, *, count: int, reach_m: float) -> list[Actor]:
    """Cars that stand in the parking strips all along the way; `count` is the number of simulation steps."""
    actors: list[Actor] = []
    for across in layout.parking_m:
        place = float(rng.uniform(2.0, 14.0))
        while place < reach_m:
            body = Body(rng.choice(np.array([Body.CAR, Body.SUV, Body.VAN]), p=[0.62, 0.28, 0.10]))
            actors.append(
                Actor(
                    body=body,
                    look=int(rng.integers(LOOKS)),
                    along=always(place, count),
                    across=always(across + float(rng.normal(0.0, 0.08)), count),
                    heading=always(0.0 if across > 0 else np.pi, count),
                    braking=np.broadcast_to(np.bool_(0), (count,)),
                )
            )
            place += float(rng.uniform(6.2, 9.0) if rng.random() < 0.6 else rng.uniform(12.0, 38.0))
    return actors
