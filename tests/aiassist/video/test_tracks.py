"""One road user over time: the right boxes belong together, and its growth tells the time to contact."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from aiassist.video.detection import PERSON, VEHICLE, Box, Detection
from aiassist.video.tracks import Seen, Track, follow

STEP = 0.25


def box_at(middle: float, height: float, *, bottom: float = 0.6) -> Box:
    width = height * 0.7
    return Box(middle - width / 2, bottom - height, middle + width / 2, bottom)


def approaching(contact_seconds: float, *, height: float = 0.1) -> Callable[[float], Box]:
    """A vehicle at a steady closing speed that is there after so many seconds; `height` is its size at first."""
    return lambda seconds: box_at(0.5, height * contact_seconds / (contact_seconds - seconds))


def seen(*movers: Callable[[float], Box], times: Sequence[float], group: str = VEHICLE) -> list[Seen]:
    return [Seen(t, [Detection(group, 0.6, mover(t)) for mover in movers]) for t in times]


def steps(count: int, first: float = 0.0) -> list[float]:
    return [first + index * STEP for index in range(count)]


def only(tracks: list[Track]) -> Track:
    assert len(tracks) == 1
    return tracks[0]


@pytest.mark.parametrize("contact", [3.0, 4.0, 8.0])
def test_growth_tells_the_time_to_contact_within_its_error(contact: float) -> None:
    track = only(follow(seen(approaching(contact), times=steps(7))))
    closing = track.closings()[-1]
    assert closing.contact_seconds == pytest.approx(contact - closing.last.seconds, rel=0.1)
    assert 0 <= closing.error < 0.1 * closing.per_second


def test_noise_makes_the_error_larger() -> None:
    random = np.random.default_rng(3)
    exact, shaken = approaching(4.0), approaching(4.0)

    def noisy(seconds: float) -> Box:
        return box_at(0.5, shaken(seconds).height * float(np.exp(random.normal(0, 0.05))))

    clean = only(follow(seen(exact, times=steps(7)))).closings()[-1]
    rough = only(follow(seen(noisy, times=steps(7)))).closings()[-1]
    assert rough.error > 5 * clean.error
    assert abs(rough.per_second - clean.per_second) < 3 * rough.error


def test_four_pictures_tell_no_time_to_contact() -> None:
    assert only(follow(seen(approaching(4.0), times=steps(4)))).closings() == []


def test_two_hits_are_no_track() -> None:
    assert follow(seen(approaching(4.0), times=steps(2))) == []


def test_a_missed_picture_is_bridged_and_a_long_gap_is_not() -> None:
    assert len(only(follow(seen(approaching(9.0), times=[0, 0.25, 0.75, 1.0]))).samples) == 4
    assert len(follow(seen(approaching(9.0), times=[*steps(3), *steps(3, first=2.0)]))) == 2


def test_two_vehicles_that_pass_each_other_keep_their_tracks() -> None:
    right = lambda t: box_at(0.3 + 0.2 * t, 0.12)  # noqa: E731
    left = lambda t: box_at(0.7 - 0.2 * t, 0.12, bottom=0.66)  # noqa: E731
    tracks = follow(seen(right, left, times=steps(9)))
    assert len(tracks) == 2
    ends = sorted((track.samples[0].box.middle, track.samples[-1].box.middle) for track in tracks)
    np.testing.assert_allclose(ends, [(0.3, 0.7), (0.7, 0.3)])


def test_a_person_is_not_taken_for_the_vehicle_at_the_same_place() -> None:
    vehicle = seen(approaching(9.0), times=steps(3))
    person = seen(approaching(9.0), times=steps(3, first=0.75), group=PERSON)
    assert sorted(track.group for track in follow([*vehicle, *person])) == [PERSON, VEHICLE]


def test_a_box_that_is_cut_off_tells_no_size() -> None:
    track = only(follow(seen(lambda t: Box(0.3, 0.2, 0.7, 1.0), times=steps(8))))
    assert len(track.samples) == 8 and track.closings() == []
