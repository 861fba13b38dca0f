"""Whether a place is meant by a message (CAP 1.2 §3.2.4).

The areas of a block, and the polygons, circles and geocodes of an area, count together: a place in one of them
is meant. It is left out only when something says where the block holds, the place can be held against it, and it
lies outside. What cannot be judged here, for want of a position or of a code of that system, says nothing when other
parts of the area can be judged: the standard asks senders to describe by polygon or circle whatever they describe by
code. An area of which nothing can be judged (a name alone) may hold here: its block is told.

The earth is a sphere of its mean radius: a circle of 100 km is right to 0.5 km, as good as such areas are drawn. An
edge of a polygon is a straight line in degrees, on the shorter way round: that also holds across the antimeridian. A
polygon around a pole cannot be written in CAP.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

from playlists.alert.message import Alert, Area, Info

EARTH_KM = 6_371.0088
"""Mean radius (IUGG)."""

Point = tuple[float, float]
"""Latitude and longitude in degrees, WGS 84."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands, as far as it knows. `geocodes` are pairs of a code's system and its value."""

    position: Point | None = None
    geocodes: frozenset[tuple[str, str]] = frozenset()


NOWHERE = Place()


class Coverage(Enum):
    """What an area says of a place."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"
    """Nothing that can be judged: such a message is told."""


def meant_for(alert: Alert, place: Place) -> Alert:
    """The message with the information blocks that are not for other places alone."""
    kept = tuple(info for info in alert.infos if covers(info, place) is not Coverage.OUTSIDE)
    return alert if len(kept) == len(alert.infos) else alert.model_copy(update={"infos": kept})


def covers(info: Info, place: Place) -> Coverage:
    """What the areas of a block say of a place."""
    found = {covered(area, place) for area in info.areas}
    # an area that may hold here is not outweighed by one that does not
    return next(
        (c for c in (Coverage.INSIDE, Coverage.UNKNOWN, Coverage.OUTSIDE) if c in found), Coverage.UNKNOWN
    )


def covered(area: Area, place: Place) -> Coverage:
    """What one area says of a place."""
    found = set(_parts(area, place))
    return next((c for c in (Coverage.INSIDE, Coverage.OUTSIDE) if c in found), Coverage.UNKNOWN)


def _parts(area: Area, place: Place) -> Iterator[Coverage]:
    mine = {(_system(system), value.strip()) for system, value in place.geocodes}
    known = {system for system, _ in mine}
    for system, value in area.geocodes:
        if _system(system) in known:
            yield _said((_system(system), value.strip()) in mine)
    if place.position is not None:
        for polygon in area.polygons:
            yield _said(in_polygon(place.position, polygon))
        for centre, radius_km in area.circles:
            yield _said(distance_km(place.position, centre) <= radius_km)


def _said(inside: bool) -> Coverage:
    return Coverage.INSIDE if inside else Coverage.OUTSIDE


def _system(name: str) -> str:
    return name.strip().lower()


def distance_km(one: Point, other: Point) -> float:
    """Along the great circle (haversine formula: R. W. Sinnott, 1984)."""
    lat_1, lon_1, lat_2, lon_2 = map(radians, (*one, *other))
    half = sin((lat_2 - lat_1) / 2) ** 2 + cos(lat_1) * cos(lat_2) * sin((lon_2 - lon_1) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


def in_polygon(point: Point, polygon: Sequence[Point]) -> bool:
    """Whether a closed polygon has the point inside (M. Shimrat, CACM algorithm 112: crossings of a ray)."""
    latitude, longitude = point
    # as seen from the point, each vertex on the shorter way round from the one before it
    east = _turn(polygon[0][1] - longitude)
    unrolled = [(polygon[0][0], east)]
    for (_, before), (lat, lon) in pairwise(polygon):
        east += _turn(lon - before)
        unrolled.append((lat, east))
    inside = False
    for shift in (-360.0, 0.0, 360.0):
        for (lat_1, lon_1), (lat_2, lon_2) in pairwise(unrolled):
            if (lat_1 > latitude) is not (lat_2 > latitude):
                crossing = lon_1 + (latitude - lat_1) / (lat_2 - lat_1) * (lon_2 - lon_1)
                inside ^= crossing + shift > 0.0
    return inside


def _turn(degrees: float) -> float:
    """The same direction, from -180 up to 180."""
    return (degrees + 180.0) % 360.0 - 180.0
