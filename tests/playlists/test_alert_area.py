"""Whether a place is meant by a message."""

from __future__ import annotations

from itertools import pairwise
from math import acos, cos, degrees, radians, sin

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from playlists.alert import NOWHERE, Area, Coverage, Info, Place, covers, meant_for
from playlists.alert.area import EARTH_KM, covered, distance_km, in_polygon
from tests.playlists import plain_alerts
from tests.playlists.test_alert import storm

VINH = (18.67, 105.69)
COAST = ((18.6, 105.6), (18.6, 105.9), (18.9, 105.9), (18.9, 105.6), (18.6, 105.6))
NORTH = tuple((lat + 3, lon) for lat, lon in COAST)
INSIDE, OUTSIDE, UNKNOWN = Coverage.INSIDE, Coverage.OUTSIDE, Coverage.UNKNOWN

points = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
corners = st.tuples(st.integers(-40, 40), st.integers(-40, 40))


def area(*, polygon=(), circle=(), codes=()) -> Area:
    return Area(description="x", polygons=tuple(polygon), circles=tuple(circle), geocodes=tuple(codes))


HERE = Place(VINH, frozenset({("commune", "16777"), ("province", "40")}))
ONLY_POSITION = Place(VINH)
ONLY_CODES = Place(None, HERE.geocodes)


@pytest.mark.parametrize(
    ("place", "part", "says"),
    [
        (HERE, area(polygon=[COAST]), INSIDE),
        (HERE, area(polygon=[NORTH]), OUTSIDE),
        (HERE, area(polygon=[NORTH, COAST]), INSIDE),
        (HERE, area(circle=[((18.7, 105.7), 5.0)]), INSIDE),
        (HERE, area(circle=[((18.7, 105.7), 3.0)]), OUTSIDE),
        (HERE, area(circle=[((18.7, 105.7), 0.0)]), OUTSIDE),
        (HERE, area(circle=[(VINH, 0.0)]), INSIDE),
        (HERE, area(codes=[("commune", "16777")]), INSIDE),
        (HERE, area(codes=[(" Commune", "16777 ")]), INSIDE),
        (HERE, area(codes=[("commune", "16778")]), OUTSIDE),
        (HERE, area(codes=[("commune", "16778"), ("province", "40")]), INSIDE),
        (HERE, area(codes=[("SAME", "006109")]), UNKNOWN),
        (HERE, area(), UNKNOWN),
        # one part that includes it is enough, whatever the others say
        (HERE, area(polygon=[NORTH], codes=[("commune", "16777")]), INSIDE),
        (HERE, area(polygon=[COAST], codes=[("commune", "16778")]), INSIDE),
        # a code that nobody here knows is held to be described by the shapes beside it
        (HERE, area(polygon=[NORTH], codes=[("SAME", "006109")]), OUTSIDE),
        (ONLY_POSITION, area(polygon=[NORTH], codes=[("commune", "16777")]), OUTSIDE),
        (ONLY_CODES, area(polygon=[COAST], codes=[("commune", "16778")]), OUTSIDE),
        (ONLY_CODES, area(polygon=[NORTH]), UNKNOWN),
        (ONLY_POSITION, area(codes=[("commune", "16778")]), UNKNOWN),
        (NOWHERE, area(polygon=[NORTH], codes=[("commune", "16778")]), UNKNOWN),
    ],
)
def test_what_an_area_says_of_a_place(place: Place, part: Area, says: Coverage) -> None:
    assert covered(part, place) is says


def block(*areas: Area) -> Info:
    return Info(language="vi", event="x", areas=areas)


def test_a_block_is_for_all_of_its_areas_and_for_everybody_without_one() -> None:
    away, here, somewhere = area(polygon=[NORTH]), area(polygon=[COAST]), area()
    assert covers(block(away, here), HERE) is INSIDE
    assert covers(block(away, away), HERE) is OUTSIDE
    assert covers(block(away, somewhere), HERE) is UNKNOWN
    assert covers(block(), HERE) is UNKNOWN


def test_only_the_blocks_for_other_places_are_left_out() -> None:
    away = storm(("18.60,", "28.60,"), ("18.90,", "28.90,"))
    kept = meant_for(away, Place(VINH))
    assert [info.language for info in kept.infos] == ["en-US"]
    assert meant_for(away, NOWHERE) is away
    assert [language for _, language in kept.spoken(["vi", "en"])] == ["en"]


class TestShapes:
    """Polygons and circles on the globe."""

    @given(st.lists(corners, min_size=3, max_size=9), corners)
    def test_a_polygon_has_inside_what_the_plain_model_says(
        self, polygon: list[tuple[int, int]], point: tuple[int, int]
    ) -> None:
        # on a lattice of odd and even, no point lies on a vertex's latitude
        vertices = [(2 * lat, 2 * lon) for lat, lon in polygon]
        probe = (2 * point[0] + 1, 2 * point[1] + 1)
        assume(
            all(
                abs(_side(probe, a, b)) > 0
                for a, b in zip(vertices, [*vertices[1:], vertices[0]], strict=True)
            )
        )
        closed = [(float(lat), float(lon)) for lat, lon in [*vertices, vertices[0]]]
        assert in_polygon((float(probe[0]), float(probe[1])), closed) is plain_alerts.winds_around(
            probe, vertices
        )

    @given(st.lists(corners, min_size=3, max_size=9), corners, st.integers(-180, 180))
    def test_it_is_the_same_on_every_meridian(
        self, polygon: list[tuple[int, int]], point: tuple[int, int], turn: int
    ) -> None:
        closed = [(float(2 * lat), float(2 * lon)) for lat, lon in [*polygon, polygon[0]]]
        probe = (2.0 * point[0] + 1, 2.0 * point[1] + 1)
        assume(all(abs(_side(probe, a, b)) > 0 for a, b in pairwise(closed)))
        turned = [(lat, _wrap(lon + turn)) for lat, lon in closed]
        assert in_polygon((probe[0], _wrap(probe[1] + turn)), turned) is in_polygon(probe, closed)

    def test_an_area_may_lie_across_the_antimeridian(self) -> None:
        fiji = ((-20.0, 176.0), (-20.0, -178.0), (-15.0, -178.0), (-15.0, 176.0), (-20.0, 176.0))
        assert in_polygon((-17.0, 179.5), fiji)
        assert in_polygon((-17.0, -179.5), fiji)
        assert not in_polygon((-17.0, 0.0), fiji)
        assert not in_polygon((-17.0, 175.0), fiji)
        assert not in_polygon((-17.0, -177.0), fiji)

    def test_a_polygon_without_an_inside_has_nobody_in_it(self) -> None:
        assert not in_polygon((0.0, 0.0), [(0.0, 0.0)] * 4)

    @given(points, points)
    def test_distances_are_those_of_the_law_of_cosines(
        self, one: tuple[float, float], other: tuple[float, float]
    ) -> None:
        lat_1, lon_1, lat_2, lon_2 = map(radians, (*one, *other))
        cosine = sin(lat_1) * sin(lat_2) + cos(lat_1) * cos(lat_2) * cos(lon_1 - lon_2)
        plain = EARTH_KM * acos(max(-1.0, min(1.0, cosine)))
        # the law of cosines is only good to some metres where two points are close
        assert distance_km(one, other) == pytest.approx(plain, abs=0.2)
        assert distance_km(one, other) == distance_km(other, one)

    def test_a_degree_of_latitude_is_what_it_should_be(self) -> None:
        assert distance_km((18.0, 105.0), (19.0, 105.0)) == pytest.approx(radians(1) * EARTH_KM)
        assert distance_km((0.0, 179.9), (0.0, -179.9)) == pytest.approx(radians(0.2) * EARTH_KM)
        assert degrees(distance_km((90.0, 0.0), (-90.0, 77.0)) / EARTH_KM) == pytest.approx(180.0)


def _side(point, a, b) -> float:  # type: ignore[no-untyped-def]
    return (b[1] - a[1]) * (point[0] - a[0]) - (b[0] - a[0]) * (point[1] - a[1])


def _wrap(longitude: float) -> float:
    return (longitude + 180.0) % 360.0 - 180.0
